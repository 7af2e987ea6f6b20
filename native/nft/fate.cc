#include "nft/fate.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <optional>
#include <string_view>

#include "base/error.h"
#include "nft/handle.h"

namespace vulcan::nft {
namespace {

// The kernel's NFT_JUMP_STACK_SIZE.
constexpr int kMaxDepth = 16;

struct IteratorFree {
  void operator()(nftnl_expr_iter* iterator) const noexcept { nftnl_expr_iter_destroy(iterator); }
};

// What a rule does to every packet that reaches it.
struct Effect {
  // NF_* or NFT_*; nothing: it only looks at the packet, or decides on some packets only.
  std::optional<int> verdict;
  std::string chain;
};

std::string_view Text(const nftnl_expr* expression, std::uint16_t attribute) {
  const char* text = nftnl_expr_get_str(expression, attribute);
  return text == nullptr ? std::string_view() : text;
}

// Whether every packet passes the expression on to the next one.
bool IsTransparent(const nftnl_expr* expression) {
  const std::string_view name = Text(expression, NFTNL_EXPR_NAME);
  if (name == "counter" || name == "log") return true;
  // iptables-nft keeps extensions that it can't translate.
  if (name == "match") return Text(expression, NFTNL_EXPR_MT_NAME) == "comment";
  if (name == "target") return Text(expression, NFTNL_EXPR_TG_NAME) == "LOG";
  return false;
}

Effect ReadEffect(const nftnl_rule* rule) {
  const std::unique_ptr<nftnl_expr_iter, IteratorFree> iterator(nftnl_expr_iter_create(rule));
  if (!iterator) throw std::bad_alloc();
  while (const nftnl_expr* expression = nftnl_expr_iter_next(iterator.get())) {
    if (IsTransparent(expression)) continue;
    const std::string_view name = Text(expression, NFTNL_EXPR_NAME);
    if (name == "reject") return {NF_DROP, {}};
    if (name == "target" && Text(expression, NFTNL_EXPR_TG_NAME) == "REJECT") return {NF_DROP, {}};
    const bool is_verdict = name == "immediate" && nftnl_expr_is_set(expression, NFTNL_EXPR_IMM_VERDICT);
    if (!is_verdict) return {};
    const auto verdict = static_cast<int>(nftnl_expr_get_u32(expression, NFTNL_EXPR_IMM_VERDICT));
    return {verdict, std::string(Text(expression, NFTNL_EXPR_IMM_CHAIN))};
  }
  return {};
}

template <typename Holds>
bool AllOf(const nlattr* nest, Holds holds) {
  const auto* attribute = static_cast<const nlattr*>(mnl_attr_get_payload(nest));
  const char* end = reinterpret_cast<const char*>(attribute) + mnl_attr_get_payload_len(nest);
  for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)));
       attribute = mnl_attr_next(attribute)) {
    if (!holds(attribute)) return false;
  }
  return true;
}

// libnftnl takes for granted that every expression has a name.
bool HasNames(const Message& rule) {
  const nlattr* expressions = FindAttribute(Header(rule), sizeof(nfgenmsg), NFTA_RULE_EXPRESSIONS);
  const auto is_no_name = [](const nlattr* part) {
    return mnl_attr_get_type(part) != NFTA_EXPR_NAME || mnl_attr_validate(part, MNL_TYPE_NUL_STRING) < 0;
  };
  return expressions == nullptr ||
         AllOf(expressions, [&](const nlattr* expression) { return !AllOf(expression, is_no_name); });
}

std::vector<Effect> ReadEffects(Socket& socket, const Table& table, const std::string& chain) {
  const auto wanted = Own<RuleHandle>(nftnl_rule_alloc());
  nftnl_rule_set_str(wanted.get(), NFTNL_RULE_TABLE, table.name.c_str());
  nftnl_rule_set_str(wanted.get(), NFTNL_RULE_CHAIN, chain.c_str());
  std::vector<Effect> effects;
  const auto build = [&](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, wanted.get()); };
  for (const Message& message : socket.Dump(NFT_MSG_GETRULE, table.family, build)) {
    const auto rule = Own<RuleHandle>(nftnl_rule_alloc());
    if (!HasNames(message) || !AreTexts(Header(message), {NFTA_RULE_TABLE, NFTA_RULE_CHAIN}) ||
        nftnl_rule_nlmsg_parse(Header(message), rule.get()) < 0)
      throw Error(EBADMSG, "NFT_MSG_GETRULE");
    effects.push_back(ReadEffect(rule.get()));
  }
  return effects;
}

Fate Follow(Socket& socket, const Table& table, const std::string& chain, int depth) {
  if (depth == kMaxDepth) return Fate::kUndecided;
  for (const Effect& effect : ReadEffects(socket, table, chain)) {
    if (!effect.verdict) continue;
    switch (*effect.verdict) {
      case NF_DROP:
        return Fate::kDropped;
      case NF_ACCEPT:
        return Fate::kAccepted;
      case NFT_RETURN:
        return Fate::kUndecided;
      case NFT_GOTO:
        return Follow(socket, table, effect.chain, depth + 1);
      case NFT_JUMP: {
        const Fate fate = Follow(socket, table, effect.chain, depth + 1);
        if (fate != Fate::kUndecided) return fate;
        break;
      }
      default:
        break;
    }
  }
  return Fate::kUndecided;
}

}  // namespace

Fate ReadFate(Socket& socket, const Table& table, const std::string& chain) {
  return Follow(socket, table, chain, 0);
}

}  // namespace vulcan::nft
