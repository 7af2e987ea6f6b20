#include "engine/guard.h"

#include <cerrno>
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

void CommitAdditions(nft::Socket& socket, const std::vector<SetElements>& elements) {
  nft::Batch batch;
  for (const auto& [set, element] : elements) nft::AddElements(batch, GuardTable(), *set, {element});
  batch.Commit(socket);
}

void CommitDeletions(nft::Socket& socket, const std::vector<SetElements>& elements) {
  nft::Batch batch;
  for (const auto& [set, element] : elements) nft::DeleteElements(batch, GuardTable(), *set, {element});
  batch.Commit(socket);
}

}  // namespace

void Ensure(const Cancellation& cancellation) {
  nft::Transact(cancellation, [](nft::Socket& socket, nft::Batch& batch) {
    const auto comment = nft::ReadTableComment(socket, GuardTable());
    if (comment && !comment->starts_with("vulcan-net guard ")) {
      throw Error(EEXIST, "NFT_MSG_NEWTABLE", "a table of this name was made by someone else")
          .Path("table bridge vulcan")
          .Why(Reason::kForeign);
    }
    AddLayout(batch);
    return true;
  });
}

void Add(nft::Socket& socket, const Port& port, const Cancellation& cancellation) {
  const auto elements = ElementsOf(port);
  try {
    CommitAdditions(socket, elements);
  } catch (const Error& error) {
    if (error.Errnum() != ENOENT) throw;
    Ensure(cancellation);
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

std::vector<std::string> List() {
  nft::Socket socket;
  std::vector<std::string> links;
  for (const nft::Element& element : nft::ListElements(socket, GuardTable(), Ports())) {
    const std::string padded(reinterpret_cast<const char*>(element.key.data()), element.key.size());
    links.push_back(padded.substr(0, padded.find('\0')));
  }
  return links;
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
