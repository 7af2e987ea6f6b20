#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

namespace vulcan {
namespace {

// The kernel has errors that are not for programs, and sends one now and then.
[[nodiscard]] std::string ErrnoText(int error) {
  const char* text = ::strerrordesc_np(error);
  return text != nullptr ? text : "Unknown error " + std::to_string(error);
}

}  // namespace

std::string_view ReasonName(Reason reason) noexcept {
  switch (reason) {
    case Reason::kNone:
      return "";
    case Reason::kDirectoryUnsafe:
      return "directory-unsafe";
    case Reason::kForeign:
      return "foreign";
    case Reason::kNotANamespace:
      return "not-a-namespace";
    case Reason::kLockHeld:
      return "lock-held";
    case Reason::kRetriesExhausted:
      return "retries-exhausted";
    case Reason::kWrongKind:
      return "wrong-kind";
    case Reason::kAddressConflict:
      return "address-conflict";
    case Reason::kNetworkConflict:
      return "network-conflict";
    case Reason::kAttachmentExists:
      return "attachment-exists";
    case Reason::kAddressesExhausted:
      return "addresses-exhausted";
    case Reason::kAddressTaken:
      return "address-taken";
    case Reason::kBridgeFull:
      return "bridge-full";
    case Reason::kSlotSpoilt:
      return "slot-spoilt";
    case Reason::kStoreMissing:
      return "store-missing";
    case Reason::kFirewallBare:
      return "firewall-bare";
    case Reason::kFirewallGone:
      return "firewall-gone";
  }
  return "";
}

std::string ErrnoName(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : std::string("E").append(std::to_string(error));
}

Error::Error(int errnum, std::string_view syscall, std::string_view message)
    : detail_(std::make_shared<Detail>()) {
  detail_->errnum = errnum;
  detail_->syscall = syscall;
  detail_->text = message.empty() ? ErrnoText(errnum) : message;
  Compose();
}

Error& Error::Path(std::string_view path) {
  detail_->path = path;
  Compose();
  return *this;
}

Error& Error::Kernel(std::string_view extack) {
  detail_->extack = extack;
  Compose();
  return *this;
}

Error& Error::Why(Reason reason) noexcept {
  detail_->reason = reason;
  return *this;
}

Error& Error::At(std::string_view step) {
  detail_->step = step;
  return *this;
}

Error& Error::UndoFailed(const Error& error) {
  detail_->undo.push_back(error);
  return *this;
}

void Error::Compose() {
  detail_->message = ErrnoName(detail_->errnum) + ": " + detail_->text + ", " + detail_->syscall;
  if (!detail_->path.empty()) detail_->message += " '" + detail_->path + "'";
  if (!detail_->extack.empty()) detail_->message += " (" + detail_->extack + ")";
}

Error SystemError(std::string_view syscall, std::string_view path) {
  Error error(errno, syscall);
  if (!path.empty()) error.Path(path);
  return error;
}

Error CancelledError() { return {ECANCELED, "cancel", "the task was cancelled"}; }

Error CurrentError() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::system_error& error) {
    return {error.code().value(), "std::thread", error.what()};
  } catch (const std::bad_alloc&) {
    return {ENOMEM, "operator new"};
  } catch (const std::exception& error) {
    return {EIO, "vulcan_net", error.what()};
  }
}

}  // namespace vulcan
