#include "engine/slot_entry.h"

#include <fcntl.h>
#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/slot_prints.h"
#include "nft/conntrack.h"
#include "nft/netfilter_state.h"
#include "sys/netns.h"
#include "sys/socket_counts.h"
#include "sys/tap.h"
#include "sys/thread_class.h"

namespace vulcan {
namespace {

constexpr const char* kThread = "/proc/thread-self";
// Where no transaction has ever been committed (nf_tables_init_net of net/netfilter/nf_tables_api.c).
constexpr std::uint32_t kFirstGeneration = 1;

[[nodiscard]] Error Unclean(int errnum, const char* syscall, const std::string& why) {
  return Error(errnum, syscall, why).Why(Reason::kSlotSpoilt);
}

// The calling thread's directory, which shows that thread alone.
[[nodiscard]] UniqueFd OpenThread() {
  UniqueFd thread(::open(kThread, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!thread) throw SystemError("open", kThread);
  return thread;
}

// A port that is waiting is nobody's, but whoever comes next can't have it: for longer than a slot is tried
// again that somebody is about to leave (EBUSY).
void RefuseSockets(const SocketCounts& counts) {
  const auto refuse = [](int errnum, int count, const char* what) {
    if (count != 0) throw Unclean(errnum, "read", std::to_string(count) + what);
  };
  refuse(EBUSY, counts.open, " sockets of the namespace are open");
  refuse(EADDRINUSE, counts.waiting, " connections of the namespace are in TIME_WAIT");
  refuse(EADDRINUSE, counts.incomplete, " datagrams in the namespace are incomplete");
}

// By a thread that is in the slot's namespace.
[[nodiscard]] EnteredSlot Enter(const Slot& slot, int thread) {
  RefuseSockets(CountSockets(thread));
  const nft::NetfilterState netfilter = nft::ReadNetfilterState();
  if (netfilter.generation != kFirstGeneration) {
    throw Unclean(EEXIST, "NFT_MSG_GETGEN", "the namespace has had nftables rules");
  }
  if (netfilter.connections != 0) {
    throw Unclean(EEXIST, "IPCTNL_MSG_CT_GET_STATS", "the namespace tracks connections");
  }
  RtnlSocket links;
  CompareInside(slot, links);
  return {std::move(links), OpenTun()};
}

// By a thread that is in the host's namespace.
void ForgetConnectionsOneByOne(const std::vector<std::shared_ptr<Slot>>& slots,
                               std::vector<std::optional<Error>>& against) {
  std::optional<Conntrack> conntrack;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i]->tracked.empty()) continue;
    try {
      if (!conntrack) conntrack.emplace();
      for (const IpAddress& each : slots[i]->tracked) {
        LetOthersRun();
        if (!conntrack->TryRemove(each)) throw Unclean(EOPNOTSUPP, "IPCTNL_MSG_CT_DELETE", "no search");
      }
      slots[i]->tracked.clear();
    } catch (...) {
      against[i] = CurrentError();
    }
  }
}

// On a thread of its own, beside the one that began it.
void EnterAll(const std::vector<std::shared_ptr<Slot>>& slots, std::vector<std::optional<Error>>& against,
              const Cancellation& cancellation) {
  ::pthread_setname_np(::pthread_self(), "vulcan-enter");
  const UniqueFd thread = OpenThread();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    try {
      cancellation.ThrowIfCancelled();
      EnterNamespace(slots[i]->ns.Get());
      slots[i]->entered.emplace(Enter(*slots[i], thread.Get()));
    } catch (...) {
      against[i] = CurrentError();
    }
    LetOthersRun();
  }
}

}  // namespace

SlotProofs EnterSlots(const std::vector<std::shared_ptr<Slot>>& slots, const Cancellation& cancellation) {
  SlotProofs proofs{std::vector<std::optional<Error>>(slots.size())};
  if (slots.empty()) return proofs;
  std::vector<std::optional<Error>> tracked(slots.size());
  try {
    RunInNamespace(
        slots.front()->ns.Get(), [&] { EnterAll(slots, proofs.against, cancellation); },
        [&] {
          const auto begin = Clock::now();
          ForgetConnectionsOneByOne(slots, tracked);
          proofs.reading = Clock::now() - begin;
        });
  } catch (...) {
    for (auto& each : proofs.against) each = CurrentError();
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (proofs.against[i] || !tracked[i]) continue;
    proofs.against[i] = std::move(tracked[i]);
    slots[i]->entered.reset();
  }
  return proofs;
}

}  // namespace vulcan
