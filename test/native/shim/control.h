#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>

namespace vulcan::shim {

// What is to happen at the chosen point.
enum class Action : std::uint32_t {
  kNone,
  kFail,   // the call fails with `error`, undone
  kDie,    // the process that has reached it is killed
  kCrash,  // the manager is killed; a plugin goes on without it
};

constexpr std::uint32_t kTrace = 1;     // a line for each point, in <control file>.trace
constexpr std::uint32_t kMarkEnds = 2;  // and one when its call has returned

struct Counter {
  std::atomic<std::uint64_t> key;
  std::atomic<std::uint32_t> count;
  std::uint32_t unused;
};

// A file that the driver writes (test/support/faults/control.mjs knows the offsets), mapped by every process
// of the operation: its points are counted across all of them.
struct Control {
  std::atomic<std::uint32_t> armed;
  std::atomic<Action> action;
  std::int32_t error;
  // How often the chosen point was reached.
  std::atomic<std::uint32_t> hits;
  // The chosen point: the ordinal-th of its key, from 1.
  std::uint32_t ordinal;
  pid_t manager;
  std::uint32_t flags;
  std::uint32_t unused;
  std::array<char, 32> key;
  // What the manager is doing.
  std::array<char, 128> label;
  std::array<Counter, 64> counters;
};
static_assert(sizeof(Counter) == 16 && sizeof(Control) == 1216);

// Nothing: this process takes no part.
[[nodiscard]] Control* GetControl() noexcept;
// Appended to, whoever else does so; nothing while there is none.
[[nodiscard]] int TraceFd() noexcept;

}  // namespace vulcan::shim
