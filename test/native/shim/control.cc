#include "shim/control.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <string>

#include "shim/next.h"

namespace vulcan::shim {
namespace {

// Above what the processes under test count on.
constexpr int kLowestFd = 900;

[[nodiscard]] int OpenHigh(const std::string& path, int flags) noexcept {
  const auto low =
      static_cast<int>(Raw(SYS_openat, AT_FDCWD, reinterpret_cast<long>(path.c_str()), flags, 0600));
  if (low < 0) return -1;
  const auto high = static_cast<int>(Raw(SYS_fcntl, low, F_DUPFD_CLOEXEC, kLowestFd));
  Raw(SYS_close, low);
  return high;
}

struct Mapped {
  Control* control = nullptr;
  int trace = -1;
};

[[nodiscard]] Mapped Map() noexcept {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* const path = std::getenv("VULCAN_FAULTS");
  if (path == nullptr) return {};
  const int fd = OpenHigh(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return {};
  void* const memory = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  Raw(SYS_close, fd);
  if (memory == MAP_FAILED) return {};
  return {static_cast<Control*>(memory),
          OpenHigh(std::string(path) + ".trace", O_WRONLY | O_APPEND | O_CLOEXEC)};
}

[[nodiscard]] const Mapped& TheMapped() noexcept {
  static const Mapped mapped = Map();
  return mapped;
}

// Before threads are.
[[gnu::constructor]] void MapEarly() noexcept { static_cast<void>(TheMapped()); }

}  // namespace

Control* GetControl() noexcept { return TheMapped().control; }
int TraceFd() noexcept { return TheMapped().trace; }

}  // namespace vulcan::shim
