#pragma once

#include <memory>
#include <utility>

namespace vulcan {

// A static constant that is never destroyed: exit(3) destroys the others while the addon's threads, which
// Node does not wait for when a process ends in the midst of its work, still use them.
template <typename T>
class Immortal {
 public:
  explicit Immortal(T value) { std::construct_at(std::addressof(value_), std::move(value)); }
  // NOLINTNEXTLINE(modernize-use-equals-default): a union member's own would have to be called.
  ~Immortal() {}

  Immortal(const Immortal&) = delete;
  Immortal& operator=(const Immortal&) = delete;

  [[nodiscard]] const T& operator*() const noexcept { return value_; }

 private:
  union {
    T value_;
  };
};

}  // namespace vulcan
