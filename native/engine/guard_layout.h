#pragma once

#include <string>
#include <vector>

#include "nft/batch.h"
#include "nft/set.h"
#include "nft/table.h"

// The table `bridge vulcan`: what a guest may say it is. Its rules are constant; each guarded port has an
// element in `ports` and one for each of its addresses.
namespace vulcan::guard {

// Raised when rules or sets change.
inline constexpr int kLayout = 1;

[[nodiscard]] const nft::Table& GuardTable();
[[nodiscard]] std::string LayoutComment();

// Links whose frames are looked at.
[[nodiscard]] const nft::Set& Ports();
// link . MAC . address
[[nodiscard]] const nft::Set& Bindings4();
[[nodiscard]] const nft::Set& Bindings6();

// The table, its sets and chains, and each rule once, whatever was there.
void AddLayout(nft::Batch& batch);

}  // namespace vulcan::guard
