#include "nft/expression.h"

#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>

#include <new>
#include <vector>

namespace vulcan::nft {
namespace {

ExpressionHandle Allocate(const char* name) { return Own<ExpressionHandle>(nftnl_expr_alloc(name)); }

void SetBytes(const ExpressionHandle& expression, std::uint16_t attribute, std::span<const std::byte> bytes) {
  if (nftnl_expr_set(expression.get(), attribute, bytes.data(), static_cast<std::uint32_t>(bytes.size())) <
      0) {
    throw std::bad_alloc();
  }
}

void SetText(const ExpressionHandle& expression, std::uint16_t attribute, const std::string& text) {
  if (nftnl_expr_set_str(expression.get(), attribute, text.c_str()) < 0) throw std::bad_alloc();
}

}  // namespace

ExpressionHandle LoadMeta(std::uint32_t key, std::uint32_t target) {
  auto expression = Allocate("meta");
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_META_KEY, key);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_META_DREG, target);
  return expression;
}

ExpressionHandle LoadField(Field field, std::uint32_t target) {
  auto expression = Allocate("payload");
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_PAYLOAD_DREG, target);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_PAYLOAD_BASE, field.header);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_PAYLOAD_OFFSET, field.offset);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_PAYLOAD_LEN, field.bytes);
  return expression;
}

ExpressionHandle LoadFragmentField(std::uint32_t offset, std::uint32_t bytes) {
  auto expression = Allocate("exthdr");
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_EXTHDR_DREG, kFirstRegister);
  nftnl_expr_set_u8(expression.get(), NFTNL_EXPR_EXTHDR_TYPE, IPPROTO_FRAGMENT);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_EXTHDR_OFFSET, offset);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_EXTHDR_LEN, bytes);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
  return expression;
}

ExpressionHandle LoadIsFragment() {
  auto expression = LoadFragmentField(0, 1);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
  return expression;
}

ExpressionHandle LoadState() {
  auto expression = Allocate("ct");
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_CT_DREG, kFirstRegister);
  return expression;
}

ExpressionHandle Mask(std::span<const std::byte> mask) {
  auto expression = Allocate("bitwise");
  const std::vector<std::byte> zero(mask.size());
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_BITWISE_SREG, kFirstRegister);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_BITWISE_DREG, kFirstRegister);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()));
  SetBytes(expression, NFTNL_EXPR_BITWISE_MASK, mask);
  SetBytes(expression, NFTNL_EXPR_BITWISE_XOR, zero);
  return expression;
}

ExpressionHandle Compare(Comparison comparison, std::span<const std::byte> value) {
  auto expression = Allocate("cmp");
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_CMP_SREG, kFirstRegister);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_CMP_OP, static_cast<std::uint32_t>(comparison));
  SetBytes(expression, NFTNL_EXPR_CMP_DATA, value);
  return expression;
}

ExpressionHandle Lookup(const std::string& set, Membership membership) {
  auto expression = Allocate("lookup");
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_LOOKUP_SREG, kFirstRegister);
  SetText(expression, NFTNL_EXPR_LOOKUP_SET, set);
  if (membership == Membership::kNotIn) {
    nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
  }
  return expression;
}

ExpressionHandle Verdict(std::uint32_t verdict, const std::string& chain) {
  auto expression = Allocate("immediate");
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_IMM_DREG, kVerdictRegister);
  nftnl_expr_set_u32(expression.get(), NFTNL_EXPR_IMM_VERDICT, verdict);
  if (!chain.empty()) SetText(expression, NFTNL_EXPR_IMM_CHAIN, chain);
  return expression;
}

ExpressionHandle Masquerade() { return Allocate("masq"); }

ExpressionHandle Counter() { return Allocate("counter"); }

}  // namespace vulcan::nft
