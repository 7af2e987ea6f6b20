#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vulcan {

// Why, where an errno alone can't say it. Mirrors NativeReason in lib/native/error.ts.
enum class Reason {
  kNone,
  kDirectoryUnsafe,
  kForeign,
  kNotANamespace,
  kLockHeld,
  kRetriesExhausted,
  kWrongKind,
  kAddressConflict,
  kNetworkConflict,
  kAttachmentExists,
  kAddressesExhausted,
  kAddressTaken,
  kBridgeFull,
  kSlotSpoilt,
  kStoreMissing,
  kFirewallGone,
  kFirewallBare,
};

// "directory-unsafe"; empty for kNone.
[[nodiscard]] std::string_view ReasonName(Reason reason) noexcept;

// "EEXIST"; "E123" for a number without a name.
[[nodiscard]] std::string ErrnoName(int error);

// What the core throws. `errnum` is positive; the addon turns it negative, as Node has it.
// Copying never throws, so that an Error may be stored and rethrown after a C callback.
class Error : public std::exception {
 public:
  Error(int errnum, std::string_view syscall, std::string_view message = {});

  // Each returns *this, so that a throw can say all it knows in one expression.
  Error& Path(std::string_view path);
  Error& Kernel(std::string_view extack);
  Error& Why(Reason reason) noexcept;
  // The step of a transaction that it ended.
  Error& At(std::string_view step);
  // Something went wrong while undoing what came before this error.
  Error& UndoFailed(const Error& error);

  [[nodiscard]] int Errnum() const noexcept { return detail_->errnum; }
  [[nodiscard]] const std::string& Syscall() const noexcept { return detail_->syscall; }
  [[nodiscard]] const std::string& GetPath() const noexcept { return detail_->path; }
  [[nodiscard]] const std::string& KernelMessage() const noexcept { return detail_->extack; }
  [[nodiscard]] const std::string& Step() const noexcept { return detail_->step; }
  [[nodiscard]] Reason GetReason() const noexcept { return detail_->reason; }
  [[nodiscard]] const std::vector<Error>& UndoErrors() const noexcept { return detail_->undo; }
  // "EEXIST: File exists, mount '/run/netns/x'": the form of Node's system errors.
  [[nodiscard]] const char* what() const noexcept override { return detail_->message.c_str(); }

 private:
  struct Detail {
    int errnum = 0;
    std::string syscall;
    std::string text;
    std::string path;
    std::string extack;
    std::string step;
    Reason reason = Reason::kNone;
    std::vector<Error> undo;
    std::string message;
  };
  void Compose();

  std::shared_ptr<Detail> detail_;
};

// An Error of the current errno; read before anything else can change it.
[[nodiscard]] Error SystemError(std::string_view syscall, std::string_view path = {});

// The task was cancelled (ECANCELED).
[[nodiscard]] Error CancelledError();

// What is being caught, whatever it is: of the standard library's exceptions, too.
[[nodiscard]] Error CurrentError();

}  // namespace vulcan
