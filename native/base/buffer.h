#pragma once

#include <cstddef>
#include <memory>

namespace vulcan {

// Bytes that somebody writes before anybody reads them: clearing those that stay unused would cost more than
// what is done with the others.
class Buffer {
 public:
  explicit Buffer(std::size_t size)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

  [[nodiscard]] std::byte* Data() const noexcept { return bytes_.get(); }
  [[nodiscard]] std::size_t Size() const noexcept { return size_; }

 private:
  // NOLINTNEXTLINE(modernize-avoid-c-arrays): a vector would clear it
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

}  // namespace vulcan
