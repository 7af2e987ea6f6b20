#include "engine/guard.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "engine/guard_layout.h"
#include "nft/batch.h"
#include "nft/element.h"
#include "nft/transaction.h"

namespace vulcan::guard {
namespace {

using SetElements = std::pair<const nft::Set*, nft::Element>;

std::vector<SetElements> ElementsOf(const Port& port) {
  const nft::Key link = nft::LinkNameKey(port.link);
  std::vector<SetElements> elements;
  for (const Binding& binding : port.bindings) {
    const nft::Set& set = binding.address.Family() == AF_INET ? Bindings4() : Bindings6();
    nft::Key key =
        nft::Concatenate(nft::Concatenate(link, nft::MacKey(binding.mac)), nft::ToKey(binding.address));
    elements.push_back({&set, {std::move(key), {}, {}}});
  }
  elements.push_back({&Ports(), {link, {}, {}}});
  return elements;
}

// What ElementsOf has concatenated, each part padded to 32 bits.
constexpr std::size_t kLinkBytes = 16;
constexpr std::size_t kAddressOffset = kLinkBytes + 8;

std::optional<Binding> BindingOf(const nft::Key& key) {
  if (key.size() <= kAddressOffset) return std::nullopt;
  const std::span<const std::byte> bytes(key);
  const auto address = IpAddress::FromBytes(bytes.subspan(kAddressOffset));
  if (!address) return std::nullopt;
  Binding binding{{}, *address};
  std::copy_n(bytes.begin() + kLinkBytes, binding.mac.size(), binding.mac.begin());
  return binding;
}

// Each is about one element.
constexpr auto kMessages = nft::Batch::Messages::kSmall;

void CommitAdditions(nft::Socket& socket, const std::vector<SetElements>& elements) {
  nft::CommitAnew(socket, kMessages, [&elements](nft::Batch& batch) {
    for (const auto& [set, element] : elements) nft::AddElements(batch, GuardTable(), *set, {element});
  });
}

void CommitDeletions(nft::Socket& socket, const std::vector<SetElements>& elements) {
  nft::CommitAnew(socket, kMessages, [&elements](nft::Batch& batch) {
    for (const auto& [set, element] : elements) nft::DeleteElements(batch, GuardTable(), *set, {element});
  });
}

}  // namespace

bool Ensure(const Cancellation& cancellation) {
  bool made = false;
  nft::Transact(cancellation, [&made](nft::Socket& socket, nft::Batch& batch) {
    const auto comment = nft::ReadTableComment(socket, GuardTable());
    if (comment && !comment->starts_with("vulcan-net guard ")) {
      throw Error(EEXIST, "NFT_MSG_NEWTABLE", "a table of this name was made by someone else")
          .Path("table bridge vulcan")
          .Why(Reason::kForeign);
    }
    made = !comment;
    AddLayout(batch);
    return true;
  });
  return made;
}

void Add(nft::Socket& socket, const Port& port, const Cancellation& cancellation) {
  const auto elements = ElementsOf(port);
  try {
    CommitAdditions(socket, elements);
  } catch (const Error& error) {
    if (error.Errnum() != ENOENT) throw;
    static_cast<void>(Ensure(cancellation));
    CommitAdditions(socket, elements);
  }
}

void Remove(nft::Socket& socket, const Port& port) {
  const auto elements = ElementsOf(port);
  try {
    return CommitDeletions(socket, elements);
  } catch (const Error& error) {
    if (error.Errnum() != ENOENT) throw;
  }
  // One that is missing fails them all.
  for (const SetElements& element : elements) {
    try {
      CommitDeletions(socket, {element});
    } catch (const Error& error) {
      if (error.Errnum() != ENOENT) throw;
    }
  }
}

void RemoveAll(nft::Socket& socket, const std::vector<Port>& ports) {
  constexpr std::size_t kAtOnce = 64;
  for (std::size_t begin = 0; begin < ports.size(); begin += kAtOnce) {
    const std::span<const Port> some =
        std::span(ports).subspan(begin, std::min(kAtOnce, ports.size() - begin));
    std::vector<SetElements> elements;
    for (const Port& port : some) std::ranges::move(ElementsOf(port), std::back_inserter(elements));
    try {
      CommitDeletions(socket, elements);
    } catch (const Error& error) {
      if (error.Errnum() != ENOENT) throw;
      for (const Port& port : some) Remove(socket, port);
    }
  }
}

std::vector<Port> List() {
  nft::Socket socket;
  std::map<std::string, Port> ports;
  const auto port_of = [&ports](const nft::Key& key) -> Port& {
    const std::string padded(reinterpret_cast<const char*>(key.data()), std::min(key.size(), kLinkBytes));
    const std::string link = padded.substr(0, padded.find('\0'));
    return ports.try_emplace(link, Port{link, {}}).first->second;
  };
  for (const nft::Element& element : nft::ListElements(socket, GuardTable(), Ports())) port_of(element.key);
  for (const nft::Set* set : {&Bindings4(), &Bindings6()}) {
    for (const nft::Element& element : nft::ListElements(socket, GuardTable(), *set)) {
      const auto binding = BindingOf(element.key);
      if (binding) port_of(element.key).bindings.push_back(*binding);
    }
  }
  std::vector<Port> listed;
  listed.reserve(ports.size());
  for (auto& [link, port] : ports) listed.push_back(std::move(port));
  return listed;
}

bool RemoveUnused(const Cancellation& cancellation) {
  bool gone = false;
  nft::Transact(cancellation, [&gone](nft::Socket& socket, nft::Batch& batch) {
    const auto comment = nft::ReadTableComment(socket, GuardTable());
    const bool ours = comment && comment->starts_with("vulcan-net guard ");
    const bool unused = ours && nft::ListElements(socket, GuardTable(), Ports()).empty();
    gone = !comment || unused;
    if (unused) nft::DeleteTable(batch, GuardTable());
    return unused;
  });
  return gone;
}

}  // namespace vulcan::guard
