#include "nft/transaction.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <string>

#include "base/error.h"

namespace vulcan::nft {
namespace {

constexpr int kAttempts = 200;
constexpr int kMaxPauseMs = 16;

bool IsTransient(const Error& error) noexcept {
  switch (error.Errnum()) {
    case ERESTART:
    case EINTR:
    case EAGAIN:
    // Answers were lost: whether the batch took effect shows when it is read again.
    case ENOBUFS:
      return true;
    default:
      return false;
  }
}

// A random time, so that writers that met once do not meet again.
void Pause(const Cancellation& cancellation, int attempt) {
  // Made when it is needed: its seed costs as much as a small transaction where CPUID is emulated.
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<int> pause_ms(0, std::min(attempt, kMaxPauseMs));
  pollfd wait{cancellation.Fd(), POLLIN, 0};
  ::poll(&wait, 1, pause_ms(random));
}

void Retry(const Cancellation& cancellation, const std::function<void()>& attempt_once) {
  for (int attempt = 1;; ++attempt) {
    cancellation.ThrowIfCancelled();
    try {
      return attempt_once();
    } catch (const Error& error) {
      if (!IsTransient(error)) throw;
      if (attempt == kAttempts) {
        throw Error(error.Errnum(), error.Syscall(),
                    "so it was at each of " + std::to_string(attempt) + " attempts")
            .Path(error.GetPath())
            .Kernel(error.KernelMessage())
            .Why(Reason::kRetriesExhausted);
      }
    }
    Pause(cancellation, attempt);
  }
}

}  // namespace

void Transact(const Cancellation& cancellation, const Change& change, const std::function<void()>& refused) {
  Retry(cancellation, [&change, &refused] {
    Socket socket;
    Batch batch(socket.Generation());
    // Who made that generation may be about to let it take effect (nf_tables_commit of
    // net/netfilter/nf_tables_api.c), but has the lock until it has.
    Batch(Batch::Messages::kSmall).Commit(socket);
    if (!change(socket, batch)) return;
    try {
      batch.Commit(socket);
    } catch (const Error& error) {
      if (error.Errnum() == ERESTART) refused();
      throw;
    }
  });
}

void CommitAnew(Socket& socket, Batch::Messages messages, const std::function<void(Batch&)>& fill) {
  const Cancellation never;
  Retry(never, [&socket, messages, &fill] {
    Batch batch(messages);
    fill(batch);
    batch.Commit(socket);
  });
}

}  // namespace vulcan::nft
