#include "base/immortal.h"

#include <gtest/gtest.h>

#include <utility>

namespace vulcan {
namespace {

class Mortal {
 public:
  explicit Mortal(bool& destroyed) : destroyed_(&destroyed) {}
  Mortal(Mortal&& other) noexcept : destroyed_(std::exchange(other.destroyed_, nullptr)) {}
  Mortal& operator=(Mortal&&) = delete;
  Mortal(const Mortal&) = delete;
  Mortal& operator=(const Mortal&) = delete;
  ~Mortal() {
    if (destroyed_ != nullptr) *destroyed_ = true;
  }

  [[nodiscard]] bool IsWhole() const { return destroyed_ != nullptr; }

 private:
  bool* destroyed_;
};

TEST(Immortal, HoldsAValueThatItNeverDestroys) {
  bool destroyed = false;
  {
    const Immortal immortal{Mortal(destroyed)};
    EXPECT_TRUE((*immortal).IsWhole());
  }
  EXPECT_FALSE(destroyed);
}

}  // namespace
}  // namespace vulcan
