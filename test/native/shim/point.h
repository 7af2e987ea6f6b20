#pragma once

#include <cerrno>
#include <string>
#include <string_view>

namespace vulcan::shim {

enum class Fate { kGo, kFail, kDie };

// What a call is about: a path, a descriptor, or a word.
class Subject {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  Subject(const char* text) : text_(text) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Subject(int fd) : fd_(fd) {}

  [[nodiscard]] std::string Describe() const;

 private:
  const char* text_ = nullptr;
  int fd_ = -1;
};

// Whether an operation is being watched, and this thread works for it: one of the addon's, or our own
// plugin's.
[[nodiscard]] bool IsWatched() noexcept;

// What points of this process, or thread, are counted under: `control`, `tc-redirect-tap ADD`.
[[nodiscard]] std::string OwnKey();
// Of calls that are as many as chance has it: a thread that waits, or looks whether it has to.
[[nodiscard]] std::string WaitKey();
// Of answers, which come in as many pieces as chance has it, too.
[[nodiscard]] std::string ReceiveKey();
// Of a look at what processes there are, which chance has, too; else as OwnKey.
[[nodiscard]] std::string KeyOf(const Subject& subject);

// Counts the point and says what happens there; kFail has set errno.
[[nodiscard]] Fate Reach(const std::string& key, std::string_view call, const Subject& subject);
// The call has returned.
void MarkEnd() noexcept;
[[noreturn]] void Die() noexcept;

template <typename Result, typename Call>
Result BeforeAs(const std::string& key, const char* name, const Subject& subject, Result failed,
                const Call& call) {
  switch (Reach(key, name, subject)) {
    case Fate::kDie:
      Die();
    case Fate::kFail:
      return failed;
    case Fate::kGo:
      break;
  }
  const Result result = call();
  MarkEnd();
  return result;
}

// Stands before a call: `failed` is what it returns when it is to fail.
template <typename Result, typename Call>
Result Before(const char* name, const Subject& subject, Result failed, const Call& call) {
  if (!IsWatched()) return call();
  return BeforeAs(KeyOf(subject), name, subject, failed, call);
}

}  // namespace vulcan::shim
