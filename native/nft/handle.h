#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include <memory>
#include <new>

namespace vulcan::nft {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using TableHandle = std::unique_ptr<nftnl_table, Deleter<nftnl_table_free>>;
using ChainHandle = std::unique_ptr<nftnl_chain, Deleter<nftnl_chain_free>>;
using RuleHandle = std::unique_ptr<nftnl_rule, Deleter<nftnl_rule_free>>;
using SetHandle = std::unique_ptr<nftnl_set, Deleter<nftnl_set_free>>;
using ElementHandle = std::unique_ptr<nftnl_set_elem, Deleter<nftnl_set_elem_free>>;
using ExpressionHandle = std::unique_ptr<nftnl_expr, Deleter<nftnl_expr_free>>;

// Takes what one of the library's allocators returned: Own<SetHandle>(nftnl_set_alloc()).
template <typename Handle>
[[nodiscard]] Handle Own(typename Handle::pointer object) {
  if (object == nullptr) throw std::bad_alloc();
  return Handle(object);
}

}  // namespace vulcan::nft
