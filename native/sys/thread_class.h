#pragma once

namespace vulcan {

// How the scheduler is to treat the calling thread. Both are wishes: a kernel that knows no such thing, or a
// sandbox that forbids it, leaves the thread as it is.

// Somebody waits for what it does: when it is woken it goes before threads in the midst of a long
// computation. Since Linux 6.12 the wish is a slice of 0.1 ms (sched_setattr(2), PREEMPT_SHORT of
// kernel/sched/features.h); before, it has no effect.
void AskForShortSlice() noexcept;

// It works ahead, and nobody waits for it: when it is woken it goes before no other thread (SCHED_BATCH,
// sched(7)).
void AskForBatch() noexcept;

// Between two steps of what others need not wait for. Whoever was woken on this processor meanwhile may have
// to wait for the scheduler's next tick otherwise, though another processor is idle: for 4 ms, where there
// are 250 of them a second.
void LetOthersRun() noexcept;

}  // namespace vulcan
