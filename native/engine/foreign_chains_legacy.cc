#include "engine/foreign_chains_legacy.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/io.h"

namespace vulcan {
namespace {

constexpr std::string_view kFilter = "filter";
constexpr int kMaxDepth = 32;
constexpr int kAttempts = 8;
constexpr std::size_t kMaxNames = 65'536;

// A socket option on a table that is not there would make the kernel create it.
bool IsInUse() {
  const std::string path = "/proc/net/ip_tables_names";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    // Without the module there is no such file.
    if (errno == ENOENT) return false;
    throw SystemError("open", path);
  }
  std::istringstream names(ReadAll(file.Get(), kMaxNames, path));
  for (std::string name; std::getline(names, name);) {
    if (name == kFilter) return true;
  }
  return false;
}

// Of a match or a target.
template <std::size_t Size>
std::string_view NameOf(const char (&name)[Size]) {
  return {name, ::strnlen(name, Size)};
}

// What becomes of a packet that meets none of the conditions.
enum class Fate { kUndecided, kAccepted, kDropped };

// The entries of a table, as the kernel hands them out: jumps are offsets.
class LegacyTable {
 public:
  explicit LegacyTable(std::vector<std::byte> entries) : entries_(std::move(entries)) {}

  // What becomes of a packet that meets no condition from `offset` on.
  [[nodiscard]] Fate Follow(std::size_t offset, int depth = 0) {
    while (depth < kMaxDepth && offset + sizeof(ipt_entry) <= entries_.size()) {
      const auto entry = Read<ipt_entry>(offset);
      const Step step = ReadStep(entry, offset);
      if (step.fate != Fate::kUndecided || step.returns) return step.fate;
      if (step.jump) {
        const Fate fate = FollowJump(*step.jump, depth + 1);
        const bool is_goto = (entry.ip.flags & IPT_F_GOTO) != 0;
        if (fate != Fate::kUndecided || is_goto) return fate;
      }
      if (entry.next_offset < sizeof(ipt_entry)) break;
      offset += entry.next_offset;
    }
    return Fate::kUndecided;
  }

  // A chain begins with an entry whose target bears its name.
  [[nodiscard]] bool Has(std::string_view chain) const {
    for (std::size_t offset = 0; offset + sizeof(ipt_entry) <= entries_.size();) {
      const auto entry = Read<ipt_entry>(offset);
      const auto target = Read<xt_error_target>(offset + entry.target_offset);
      if (NameOf(target.target.u.user.name) == XT_ERROR_TARGET && NameOf(target.errorname) == chain) {
        return true;
      }
      if (entry.next_offset < sizeof(ipt_entry)) break;
      offset += entry.next_offset;
    }
    return false;
  }

 private:
  struct Step {
    Fate fate = Fate::kUndecided;
    bool returns = false;
    std::optional<std::size_t> jump;
  };

  // Once, however many rules jump there.
  [[nodiscard]] Fate FollowJump(std::size_t offset, int depth) {
    const auto [known, is_new] = known_.try_emplace(offset, Fate::kUndecided);
    if (is_new) known->second = Follow(offset, depth);
    return known->second;
  }

  template <typename T>
  [[nodiscard]] T Read(std::size_t offset) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    if (offset + sizeof value <= entries_.size()) std::memcpy(&value, entries_.data() + offset, sizeof value);
    return value;
  }

  [[nodiscard]] bool IsUnconditional(const ipt_entry& entry, std::size_t offset) const {
    ipt_ip conditions = entry.ip;
    conditions.flags &= static_cast<decltype(conditions.flags)>(~IPT_F_GOTO);
    const ipt_ip none{};
    if (std::memcmp(&conditions, &none, sizeof none) != 0) return false;
    for (std::size_t at = sizeof(ipt_entry); at < entry.target_offset;) {
      const auto match = Read<xt_entry_match>(offset + at);
      if (NameOf(match.u.user.name) != "comment") return false;
      at += std::max<std::size_t>(match.u.match_size, sizeof match);
    }
    return true;
  }

  [[nodiscard]] Step ReadStep(const ipt_entry& entry, std::size_t offset) const {
    if (!IsUnconditional(entry, offset)) return {};
    const auto target = Read<xt_standard_target>(offset + entry.target_offset);
    const std::string_view name = NameOf(target.target.u.user.name);
    if (name == "REJECT") return {Fate::kDropped, false, {}};
    // The standard target has no name.
    if (!name.empty()) return {};
    if (target.verdict >= 0) {
      const auto to = static_cast<std::size_t>(target.verdict);
      // So iptables writes a rule that has no target.
      if (to == offset + entry.next_offset) return {};
      return {Fate::kUndecided, false, to};
    }
    if (target.verdict == XT_RETURN) return {Fate::kUndecided, true, {}};
    const int verdict = -target.verdict - 1;
    return {verdict == NF_DROP ? Fate::kDropped : Fate::kAccepted, false, {}};
  }

  std::vector<std::byte> entries_;
  // By where a chain that is jumped to begins.
  std::map<std::size_t, Fate> known_;
};

// EAGAIN when the table was replaced since its size was read.
LegacyFilter ReadFilter(const UniqueFd& socket) {
  ipt_getinfo info{};
  kFilter.copy(static_cast<char*>(info.name), sizeof info.name - 1);
  socklen_t size = sizeof info;
  if (::getsockopt(socket.Get(), IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) < 0) {
    throw SystemError("getsockopt(IPT_SO_GET_INFO)");
  }
  // An ipt_get_entries, which is followed by the entries.
  std::vector<std::byte> answer(sizeof(ipt_get_entries) + info.size);
  std::memcpy(answer.data() + offsetof(ipt_get_entries, name), kFilter.data(), kFilter.size());
  std::memcpy(answer.data() + offsetof(ipt_get_entries, size), &info.size, sizeof info.size);
  size = static_cast<socklen_t>(answer.size());
  if (::getsockopt(socket.Get(), IPPROTO_IP, IPT_SO_GET_ENTRIES, answer.data(), &size) < 0) {
    throw SystemError("getsockopt(IPT_SO_GET_ENTRIES)");
  }
  const std::vector<std::byte> entries{answer.begin() + sizeof(ipt_get_entries), answer.end()};
  const auto drops = [&](int hook) {
    return LegacyRulesDrop(entries, info.hook_entry[hook], info.underflow[hook]);
  };
  return {drops(NF_INET_FORWARD), drops(NF_INET_LOCAL_IN), LegacyRulesHave(entries, kDockerUserChain)};
}

}  // namespace

bool LegacyRulesDrop(std::vector<std::byte> entries, std::size_t chain, std::size_t last) {
  LegacyTable table(std::move(entries));
  Fate fate = table.Follow(chain);
  // A goto in the chain itself comes back to the policy, which is the chain's last entry.
  if (fate == Fate::kUndecided) fate = table.Follow(last);
  return fate == Fate::kDropped;
}

bool LegacyRulesHave(std::vector<std::byte> entries, std::string_view chain) {
  return LegacyTable(std::move(entries)).Has(chain);
}

std::optional<LegacyFilter> ReadLegacyFilter() {
  if (!IsInUse()) return std::nullopt;
  // Any socket of the family has the options; only a raw one would take CAP_NET_RAW.
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) throw SystemError("socket(AF_INET, SOCK_DGRAM)");
  for (int attempt = 1;; ++attempt) {
    try {
      return ReadFilter(socket);
    } catch (const Error& error) {
      if (error.Errnum() != EAGAIN || attempt == kAttempts) throw;
    }
  }
}

}  // namespace vulcan
