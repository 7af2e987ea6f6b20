#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "addon/bind_sys.h"
#include "addon/task.h"
#include "sys/lock.h"

namespace vulcan::addon {
namespace {

[[nodiscard]] LockMode ToLockMode(const Fields& plan) {
  const std::string mode = plan.String("mode");
  if (mode == "exclusive") return LockMode::kExclusive;
  if (mode == "shared") return LockMode::kShared;
  plan.Fail("mode", "\"exclusive\" or \"shared\"");
}

struct ReleasePlan {
  std::shared_ptr<Lock> lock;
  bool remove;
  bool keep;
};

}  // namespace

std::shared_ptr<Lock> LockOf(const LockTable& locks, const Fields& plan) {
  auto lock = locks.Get(plan.Integer<std::uint32_t>("lock"));
  if (!lock) plan.Fail("lock", "a lock that is held");
  return lock;
}

std::shared_ptr<Lock> OptionalLockOf(const LockTable& locks, const Fields& plan) {
  return plan.Has("lock") ? LockOf(locks, plan) : nullptr;
}

void BindLocks(Napi::Object exports, Module& module) {
  LockTable& locks = module.Locks();
  Export(
      exports, module, "lockAcquire", LaneName::kFile,
      [](const Fields& plan) {
        return LockRequest(plan.String("directory"), plan.String("name"), ToLockMode(plan),
                           std::chrono::milliseconds(plan.Integer<std::int64_t>("timeoutMs")));
      },
      [](LockRequest& request, const Cancellation& cancellation) { return request.Try(cancellation); },
      [&locks](Napi::Env env, Lock lock) { return Napi::Number::New(env, locks.Add(std::move(lock))); });
  Export(
      exports, module, "lockRelease", LaneName::kFile,
      [&locks](const Fields& plan) {
        const bool remove = plan.OptionalBool("remove").value_or(false);
        const bool keep = plan.OptionalBool("keep").value_or(false);
        static_cast<void>(LockOf(locks, plan));
        return ReleasePlan{locks.Take(plan.Integer<std::uint32_t>("lock")), remove, keep};
      },
      [](ReleasePlan& plan, const Cancellation&) {
        // Released even when the removal fails.
        const std::shared_ptr<Lock> lock = std::move(plan.lock);
        if (plan.remove) {
          lock->RemoveFile();
        } else if (!plan.keep) {
          lock->RemoveUnclaimedFile();
        }
      });
}

}  // namespace vulcan::addon
