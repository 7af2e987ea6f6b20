#include "sys/thread_class.h"

#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vulcan {
namespace {

// struct sched_attr of linux/sched/types.h, whose other types are at odds with those of <sched.h>; its first
// version (SCHED_ATTR_SIZE_VER0).
struct SchedulerAttributes {
  __u32 size;
  __u32 policy;
  __u64 flags;
  __s32 nice;
  __u32 priority;
  __u64 runtime_ns;
  __u64 deadline_ns;
  __u64 period_ns;
};

// The least that the kernel takes.
constexpr __u64 kShortSliceNs = 100'000;

}  // namespace

void AskForShortSlice() noexcept {
  SchedulerAttributes attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;
  attributes.size = sizeof attributes;
  attributes.runtime_ns = kShortSliceNs;
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void AskForBatch() noexcept {
  const sched_param none{};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
}

void LetOthersRun() noexcept { ::sched_yield(); }

}  // namespace vulcan
