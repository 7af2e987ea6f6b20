#pragma once

#include <array>
#include <string>
#include <vector>

#include "nft/batch.h"
#include "nft/set.h"
#include "nft/table.h"

// What a guest may say it is: the table `bridge vulcan`, and for links that are routed to, `inet` and `arp
// vulcan_guard`. Their rules are constant; each guarded port has an element in `ports` and one for each of
// its addresses.
namespace vulcan::guard {

// Raised when rules or sets change. A table of an older layout is rebuilt, with all its elements; one of a
// newer layout keeps its rules, and only elements are changed. Therefore a set never changes the meaning of
// its name or key.
inline constexpr int kLayout = 3;

[[nodiscard]] const nft::Table& BridgeTable();
// Of frames that no bridge sees, IP packets and ARP are looked at apart.
[[nodiscard]] const nft::Table& RoutedTable();
[[nodiscard]] const nft::Table& ArpTable();
// Those that guard a port.
[[nodiscard]] const std::vector<nft::Table>& Tables(bool routed);

// The comment that says which layout a table has.
[[nodiscard]] std::string LayoutComment();
// 0 when a table of this comment is not ours.
[[nodiscard]] int ParseLayout(const std::string& comment);

// Links whose frames are looked at.
[[nodiscard]] const nft::Set& Ports();
// link . MAC . address
[[nodiscard]] const nft::Set& Bindings4();
[[nodiscard]] const nft::Set& Bindings6();
// All of them.
[[nodiscard]] std::array<const nft::Set*, 3> Sets();

// The table, its sets and chains, and each rule once, whatever was there.
void AddLayout(nft::Batch& batch, const nft::Table& table);

}  // namespace vulcan::guard
