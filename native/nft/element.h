#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nft/batch.h"
#include "nft/range.h"
#include "nft/set.h"
#include "nft/socket.h"
#include "nft/table.h"

namespace vulcan::nft {

struct Element {
  // Of an interval set: the first address of the range.
  Key key;
  // Of an interval set: the last address of the range; else empty.
  Key last;
  std::string comment;
};

// An element that is there already is left as it is, its comment included.
void AddElements(Batch& batch, const Table& table, const Set& set, const std::vector<Element>& elements);

// One that is not there fails the whole batch with ENOENT.
void DeleteElements(Batch& batch, const Table& table, const Set& set, const std::vector<Element>& elements);

// Sorted by key; empty when there is no such set.
[[nodiscard]] std::vector<Element> ListElements(Socket& socket, const Table& table, const Set& set);

// One of a set without intervals, or nothing; nor is there one where there is no such set.
[[nodiscard]] std::optional<Element> ReadElement(Socket& socket, const Table& table, const Set& set,
                                                 const Key& key);

}  // namespace vulcan::nft
