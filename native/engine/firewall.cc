#include "engine/firewall.h"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/undo.h"
#include "engine/firewall_layout.h"
#include "nft/rule.h"
#include "nft/transaction.h"

namespace vulcan::firewall {
namespace {

struct Contents {
  // Nothing: there is no table. 0: it is not ours.
  std::optional<int> layout;
  std::uint64_t table = 0;
  Elements elements;
};

Contents Read(nft::Socket& socket) {
  Contents contents;
  const auto table = nft::ReadTable(socket, VulcanTable());
  if (!table) return contents;
  contents.layout = ParseLayout(table->comment);
  contents.table = table->handle;
  if (contents.layout == 0) return contents;
  for (const nft::Set& set : Sets()) {
    auto elements = nft::ListElements(socket, VulcanTable(), set);
    // In another layout, or by hand, a set of that name may have become something else.
    std::erase_if(elements,
                  [&](const nft::Element& element) { return element.key.size() != nft::KeySize(set); });
    contents.elements[set.name] = std::move(elements);
  }
  return contents;
}

bool SameRange(const nft::Element& left, const nft::Element& right) {
  return left.key == right.key && left.last == right.last;
}

bool Contains(const std::vector<nft::Element>& elements, const nft::Element& wanted) {
  return std::any_of(elements.begin(), elements.end(), [&](const nft::Element& element) {
    return SameRange(element, wanted) && element.comment == wanted.comment;
  });
}

// Of the network's links, or its group, in a set of such: no other network has them.
std::vector<nft::Key> OwnKeys(const Elements& wanted, const nft::Set& set) {
  using Types = std::vector<nft::DataType>;
  std::vector<nft::Key> keys;
  for (const auto& [type, name] :
       {std::pair(nft::DataType::kLinkName, kBridges), std::pair(nft::DataType::kLinkGroup, kGroups)}) {
    const auto elements = wanted.find(name);
    if (set.key != Types{type} || elements == wanted.end()) continue;
    for (const nft::Element& element : elements->second) keys.push_back(element.key);
  }
  return keys;
}

// The network's elements that it no longer wants, those that stand in the way of ones that it does, and what
// an older library has left of a network that had its links: it knows fewer sets.
std::vector<nft::Element> Stale(const std::vector<nft::Element>& present,
                                const std::vector<nft::Element>& wanted, const std::vector<nft::Key>& own,
                                const std::string& owner) {
  std::vector<nft::Element> stale;
  std::copy_if(present.begin(), present.end(), std::back_inserter(stale), [&](const nft::Element& element) {
    if (Contains(wanted, element)) return false;
    const auto same = [&](const nft::Element& other) { return SameRange(other, element); };
    if (element.comment == owner || std::any_of(wanted.begin(), wanted.end(), same)) return true;
    // One that was added by hand stays.
    return !element.comment.empty() && std::find(own.begin(), own.end(), element.key) != own.end();
  });
  return stale;
}

std::vector<nft::Element> Missing(const std::vector<nft::Element>& present,
                                  const std::vector<nft::Element>& wanted) {
  std::vector<nft::Element> missing;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(missing),
               [&](const nft::Element& element) { return !Contains(present, element); });
  return missing;
}

void ChangeElements(nft::Batch& batch, Elements& present, Elements& wanted, const std::string& owner) {
  for (const nft::Set& set : Sets()) {
    const std::vector<nft::Key> own = OwnKeys(wanted, set);
    nft::DeleteElements(batch, VulcanTable(), set, Stale(present[set.name], wanted[set.name], own, owner));
    nft::AddElements(batch, VulcanTable(), set, Missing(present[set.name], wanted[set.name]));
  }
}

// All elements, moved into a table that is made anew.
void Rebuild(nft::Batch& batch, const Elements& present) {
  nft::DeleteTable(batch, VulcanTable());
  AddLayout(batch);
  for (const nft::Set& set : Sets()) {
    const auto elements = present.find(set.name);
    if (elements != present.end()) nft::AddElements(batch, VulcanTable(), set, elements->second);
  }
}

Error ForeignTable() {
  return Error(EEXIST, "NFT_MSG_NEWTABLE", "a table of this name was made by someone else")
      .Path("table inet vulcan")
      .Why(Reason::kForeign);
}

std::set<std::string> Owners(const Elements& elements) {
  std::set<std::string> owners;
  for (const auto& [set, list] : elements) {
    for (const nft::Element& element : list) owners.insert(element.comment);
  }
  // Added by hand.
  owners.erase(std::string());
  return owners;
}

// A dump of elements can be torn by somebody's commit: what seems to be another's subnet then is none. The
// kernel refuses the batch, which is empty yet, where there was one.
void RefuseConflicts(nft::Socket& socket, nft::Batch& batch, const Elements& present, const Elements& wanted,
                     const std::string& owner) {
  try {
    ThrowIfConflict(present, wanted, owner);
  } catch (const Error&) {
    batch.Commit(socket);
    throw;
  }
}

enum class EmptyTable : bool { kKeep, kDelete };

void Remove(const std::string& network, EmptyTable empty, const Cancellation& cancellation) {
  nft::Transact(cancellation, [&](nft::Socket& socket, nft::Batch& batch) {
    Contents contents = Read(socket);
    if (!contents.layout || contents.layout == 0) return false;
    std::set<std::string> owners = Owners(contents.elements);
    const bool present = owners.erase(network) > 0;
    if (owners.empty() && empty == EmptyTable::kDelete) {
      nft::DeleteTable(batch, VulcanTable());
      return true;
    }
    Elements none;
    ChangeElements(batch, contents.elements, none, network);
    return present;
  });
}

}  // namespace

std::uint64_t Ensure(const Network& network, const Cancellation& cancellation) {
  Elements wanted = ElementsOf(network);
  // By transactions that took effect, or may have: what failed may be the answer alone.
  struct {
    bool table = false;
    bool network = false;
  } made, made_before;
  // Of the table that was changed. One that was made is known once it is read in a transaction of its own:
  // any other reading might find what somebody has put in its place.
  std::optional<std::uint64_t> table;
  try {
    const auto change = [&](nft::Socket& socket, nft::Batch& batch) {
      Contents contents = Read(socket);
      if (contents.layout == 0) throw ForeignTable();
      RefuseConflicts(socket, batch, contents.elements, wanted, network.name);
      made_before = made;
      made.table |= !contents.layout;
      made.network |= !Owners(contents.elements).contains(network.name);
      const bool stays = contents.layout.value_or(0) >= kLayout;
      table = stays ? std::optional(contents.table) : std::nullopt;
      if (!contents.layout || *contents.layout == kLayout) {
        AddLayout(batch);
      } else if (*contents.layout < kLayout) {
        Rebuild(batch, contents.elements);
      }
      ChangeElements(batch, contents.elements, wanted, network.name);
      return true;
    };
    while (!table) nft::Transact(cancellation, change, [&] { made = made_before; });
  } catch (Error& error) {
    UndoStack undo;
    const EmptyTable empty = made.table ? EmptyTable::kDelete : EmptyTable::kKeep;
    if (made.network) undo.Push([&] { Remove(network.name, empty, Cancellation()); });
    undo.Unwind(error);
    throw;
  }
  return *table;
}

std::vector<std::string> Check(const Network& network, const Cancellation& cancellation) {
  Elements wanted = ElementsOf(network);
  std::vector<std::string> differences;
  nft::Transact(cancellation, [&](nft::Socket& socket, nft::Batch&) {
    differences.clear();
    Contents contents = Read(socket);
    const int layout = contents.layout.value_or(0);
    if (layout == 0) {
      differences.emplace_back("table");
    } else {
      nft::Batch whole;
      AddLayout(whole);
      if (layout <= kLayout && nft::CountRules(socket, VulcanTable()) != whole.Count(NFT_MSG_NEWRULE))
        differences.emplace_back("rules");
      const bool same = std::all_of(Sets().begin(), Sets().end(), [&](const nft::Set& set) {
        const std::vector<nft::Key> own = OwnKeys(wanted, set);
        return Stale(contents.elements[set.name], wanted[set.name], own, network.name).empty() &&
               Missing(contents.elements[set.name], wanted[set.name]).empty();
      });
      if (!same) differences.emplace_back("elements");
    }
    // A batch of nothing: the kernel refuses it where the ruleset has changed since.
    return true;
  });
  return differences;
}

void Remove(const std::string& network, const Cancellation& cancellation) {
  Remove(network, EmptyTable::kDelete, cancellation);
}

std::vector<std::string> List(const Cancellation& cancellation) {
  std::set<std::string> owners;
  nft::Transact(cancellation, [&](nft::Socket& socket, nft::Batch&) {
    owners = Owners(Read(socket).elements);
    // A batch of nothing: the kernel refuses it where the ruleset has changed since.
    return true;
  });
  return {owners.begin(), owners.end()};
}

}  // namespace vulcan::firewall
