#include "engine/guard.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/undo.h"
#include "engine/guard_layout.h"
#include "nft/batch.h"
#include "nft/element.h"
#include "nft/rule.h"
#include "nft/transaction.h"

namespace vulcan::guard {
namespace {

using SetElements = std::tuple<const nft::Table*, const nft::Set*, nft::Element>;

std::vector<SetElements> ElementsOf(const Port& port) {
  const nft::Key link = nft::LinkNameKey(port.link);
  std::vector<SetElements> elements;
  for (const nft::Table& table : Tables(port.routed)) {
    for (const Binding& binding : port.bindings) {
      const nft::Set& set = binding.address.Family() == AF_INET ? Bindings4() : Bindings6();
      nft::Key key =
          nft::Concatenate(nft::Concatenate(link, nft::MacKey(binding.mac)), nft::ToKey(binding.address));
      elements.emplace_back(&table, &set, nft::Element{std::move(key), {}, {}});
    }
    elements.emplace_back(&table, &Ports(), nft::Element{link, {}, {}});
  }
  return elements;
}

std::vector<SetElements> ElementsOfAll(std::span<const Port> ports) {
  std::vector<SetElements> elements;
  for (const Port& port : ports) std::ranges::move(ElementsOf(port), std::back_inserter(elements));
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
    for (const auto& [table, set, element] : elements) nft::AddElements(batch, *table, *set, {element});
  });
}

void CommitDeletions(nft::Socket& socket, const std::vector<SetElements>& elements) {
  nft::CommitAnew(socket, kMessages, [&elements](nft::Batch& batch) {
    for (const auto& [table, set, element] : elements) nft::DeleteElements(batch, *table, *set, {element});
  });
}

[[nodiscard]] bool IsPresent(nft::Socket& socket, const SetElements& elements) {
  const auto& [table, set, element] = elements;
  return nft::ReadElement(socket, *table, *set, element.key).has_value();
}

void DeletePresent(nft::Socket& socket, std::vector<SetElements> elements) {
  constexpr int kAttempts = 8;
  for (int attempt = 1;; ++attempt) {
    std::erase_if(elements, [&socket](const SetElements& each) { return !IsPresent(socket, each); });
    if (elements.empty()) return;
    try {
      return CommitDeletions(socket, elements);
    } catch (const Error& error) {
      // Somebody else was quicker to remove one.
      if (error.Errnum() != ENOENT || attempt == kAttempts) throw;
    }
  }
}

// One that is missing fails all of a transaction, and each that fails waits for a grace period, some 10 ms
// (nf_tables_abort, net/netfilter/nf_tables_api.c). Where one is missing, most likely the others are, too:
// somebody has flushed the ruleset.
void Delete(nft::Socket& socket, std::vector<SetElements> elements) {
  if (!IsPresent(socket, elements.front())) return DeletePresent(socket, std::move(elements));
  try {
    CommitDeletions(socket, elements);
  } catch (const Error& error) {
    if (error.Errnum() != ENOENT) throw;
    DeletePresent(socket, std::move(elements));
  }
}

[[nodiscard]] std::string NameOf(const nft::Table& table) {
  switch (table.family) {
    case NFPROTO_BRIDGE:
      return "table bridge " + table.name;
    case NFPROTO_ARP:
      return "table arp " + table.name;
    default:
      return "table inet " + table.name;
  }
}

using PortMap = std::map<std::string, Port>;

[[nodiscard]] PortMap Read(nft::Socket& socket, const nft::Table& table, bool routed) {
  PortMap ports;
  const auto port_of = [&](const nft::Key& key) -> Port& {
    const std::string padded(reinterpret_cast<const char*>(key.data()), std::min(key.size(), kLinkBytes));
    const std::string link = padded.substr(0, padded.find('\0'));
    return ports.try_emplace(link, Port{link, {}, routed}).first->second;
  };
  for (const nft::Element& element : nft::ListElements(socket, table, guard::Ports())) port_of(element.key);
  for (const nft::Set* set : {&Bindings4(), &Bindings6()}) {
    for (const nft::Element& element : nft::ListElements(socket, table, *set)) {
      const auto binding = BindingOf(element.key);
      if (binding) port_of(element.key).bindings.push_back(*binding);
    }
  }
  return ports;
}

// What is looked at in one table only is half guarded: it has the bindings that both have.
void Intersect(PortMap& ports, const PortMap& others) {
  for (auto& [link, port] : ports) {
    const auto other = others.find(link);
    std::erase_if(port.bindings, [&](const Binding& binding) {
      return other == others.end() || std::find(other->second.bindings.begin(), other->second.bindings.end(),
                                                binding) == other->second.bindings.end();
    });
  }
  for (const auto& [link, port] : others) ports.try_emplace(link, Port{link, {}, port.routed});
}

// All elements, moved into a table that is made anew.
void Rebuild(nft::Socket& socket, nft::Batch& batch, const nft::Table& table) {
  nft::DeleteTable(batch, table);
  AddLayout(batch, table);
  for (const nft::Set* set : Sets()) {
    auto elements = nft::ListElements(socket, table, *set);
    // In another layout, or by hand, a set of that name may have become something else.
    std::erase_if(elements,
                  [&](const nft::Element& element) { return element.key.size() != nft::KeySize(*set); });
    nft::AddElements(batch, table, *set, elements);
  }
}

}  // namespace

bool Ensure(bool routed, const Cancellation& cancellation) {
  bool made = false;
  try {
    nft::Transact(cancellation, [&](nft::Socket& socket, nft::Batch& batch) {
      for (const nft::Table& table : Tables(routed)) {
        const auto present = nft::ReadTable(socket, table);
        const int layout = present ? ParseLayout(present->comment) : kLayout;
        if (layout == 0) {
          throw Error(EEXIST, "NFT_MSG_NEWTABLE", "a table of this name was made by someone else")
              .Path(NameOf(table))
              .Why(Reason::kForeign);
        }
        made |= !present;
        if (layout == kLayout) AddLayout(batch, table);
        if (layout < kLayout) Rebuild(socket, batch, table);
      }
      return true;
    });
  } catch (Error& error) {
    // What failed may be the answer alone.
    UndoStack undo;
    if (made) undo.Push([] { static_cast<void>(RemoveUnused(Cancellation())); });
    undo.Unwind(error);
    throw;
  }
  return made;
}

std::vector<std::string> Check(bool routed, const Cancellation& cancellation) {
  bool is_missing = false;
  bool is_changed = false;
  nft::Transact(cancellation, [&](nft::Socket& socket, nft::Batch&) {
    is_missing = is_changed = false;
    for (const nft::Table& table : Tables(routed)) {
      const auto present = nft::ReadTable(socket, table);
      const int layout = present ? ParseLayout(present->comment) : 0;
      is_missing |= layout == 0;
      if (layout == 0 || layout > kLayout) continue;
      nft::Batch whole;
      AddLayout(whole, table);
      is_changed |= nft::CountRules(socket, table) != whole.Count(NFT_MSG_NEWRULE);
    }
    // A batch of nothing: the kernel refuses it where the ruleset has changed since.
    return true;
  });
  std::vector<std::string> differences;
  if (is_missing) differences.emplace_back("table");
  if (is_changed) differences.emplace_back("rules");
  return differences;
}

TableHandles HandlesOf(nft::Socket& socket, bool routed) {
  TableHandles handles;
  for (const nft::Table& table : Tables(routed)) {
    const auto present = nft::ReadTable(socket, table);
    if (!present) return {};
    handles.push_back(present->handle);
  }
  return handles;
}

TableHandles NeedTables(nft::Socket& socket, bool routed, const Cancellation& cancellation) {
  TableHandles handles = HandlesOf(socket, routed);
  if (!handles.empty()) return handles;
  static_cast<void>(Ensure(routed, cancellation));
  return HandlesOf(socket, routed);
}

void Add(nft::Socket& socket, const Port& port, const Cancellation& cancellation) {
  AddAll(socket, {port}, cancellation);
}

void AddAll(nft::Socket& socket, const std::vector<Port>& ports, const Cancellation& cancellation) {
  if (ports.empty()) return;
  const auto elements = ElementsOfAll(ports);
  try {
    CommitAdditions(socket, elements);
  } catch (const Error& error) {
    if (error.Errnum() != ENOENT) throw;
    static_cast<void>(Ensure(ports.front().routed, cancellation));
    CommitAdditions(socket, elements);
  }
}

void Remove(nft::Socket& socket, const Port& port) { Delete(socket, ElementsOf(port)); }

void RemoveAll(nft::Socket& socket, const std::vector<Port>& ports) {
  constexpr std::size_t kAtOnce = 64;
  for (std::size_t begin = 0; begin < ports.size(); begin += kAtOnce) {
    Delete(socket, ElementsOfAll(std::span(ports).subspan(begin, std::min(kAtOnce, ports.size() - begin))));
  }
}

std::vector<Port> List() {
  nft::Socket socket;
  PortMap ports = Read(socket, BridgeTable(), false);
  PortMap routed = Read(socket, RoutedTable(), true);
  Intersect(routed, Read(socket, ArpTable(), true));
  ports.merge(routed);
  std::vector<Port> listed;
  listed.reserve(ports.size());
  for (auto& [link, port] : ports) listed.push_back(std::move(port));
  return listed;
}

bool RemoveUnused(const Cancellation& cancellation) {
  bool gone = false;
  nft::Transact(cancellation, [&gone](nft::Socket& socket, nft::Batch& batch) {
    gone = true;
    bool changed = false;
    for (const bool routed : {false, true}) {
      for (const nft::Table& table : Tables(routed)) {
        const auto present = nft::ReadTable(socket, table);
        if (!present) continue;
        const bool unused =
            ParseLayout(present->comment) != 0 && nft::ListElements(socket, table, Ports()).empty();
        if (unused) nft::DeleteTable(batch, table);
        changed |= unused;
        gone &= unused;
      }
    }
    return changed;
  });
  return gone;
}

}  // namespace vulcan::guard
