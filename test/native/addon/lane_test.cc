#include "addon/lane.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace vulcan::addon {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

[[nodiscard]] Wait Until(Clock::time_point until) { return {{}, until}; }

TEST(Lane, DoesJobsInTheOrderOfPostingOnAThreadOfItsOwn) {
  std::vector<int> done;
  std::vector<std::thread::id> threads;
  {
    Lane lane("test");
    for (int i = 0; i < 100; ++i) {
      lane.Post([&, i]() -> std::optional<Wait> {
        done.push_back(i);
        threads.push_back(std::this_thread::get_id());
        return std::nullopt;
      });
    }
  }
  ASSERT_EQ(done.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
  for (const auto& thread : threads) {
    EXPECT_EQ(thread, threads.front());
    EXPECT_NE(thread, std::this_thread::get_id());
  }
}

TEST(Lane, IsHeldUpByNoJobThatWaits) {
  const UniqueFd ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::promise<void> begun;
  std::promise<void> other;
  std::atomic<int> calls = 0;
  Lane lane("test");
  std::promise<void> ended;
  lane.Post([&]() -> std::optional<Wait> {
    if (++calls == 1) {
      begun.set_value();
      return Wait{{{ready.Get(), POLLIN, 0}}};
    }
    ended.set_value();
    return std::nullopt;
  });
  begun.get_future().wait();
  lane.Post([&]() -> std::optional<Wait> {
    other.set_value();
    return std::nullopt;
  });
  other.get_future().wait();
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(::eventfd_write(ready.Get(), 1), 0);
  ended.get_future().wait();
  EXPECT_EQ(calls, 2);
}

TEST(Lane, CallsAgainOnceTheTimeHasComeAndNotBefore) {
  const auto until = Clock::now() + milliseconds(30);
  Clock::time_point called_again;
  bool has_waited = false;
  {
    Lane lane("test");
    lane.Post([&]() -> std::optional<Wait> {
      if (!has_waited) {
        has_waited = true;
        return Until(until);
      }
      called_again = Clock::now();
      return std::nullopt;
    });
  }
  EXPECT_GE(called_again, until);
}

TEST(Lane, EndsOnceAllIsDoneAlsoWhatWaits) {
  const UniqueFd cancelled(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::atomic<bool> is_done = false;
  bool has_waited = false;
  auto lane = std::make_optional<Lane>("test");
  lane->Post([&]() -> std::optional<Wait> {
    if (!has_waited) {
      has_waited = true;
      return Wait{{{cancelled.Get(), POLLIN, 0}}, Clock::now() + hours(1)};
    }
    is_done = true;
    return std::nullopt;
  });
  ASSERT_EQ(::eventfd_write(cancelled.Get(), 1), 0);
  lane.reset();
  EXPECT_TRUE(is_done);
}

TEST(Lane, HasItsNameAndNoSignals) {
  std::string name(16, '\0');
  bool is_blocked = false;
  {
    Lane lane("vulcan-test");
    lane.Post([&]() -> std::optional<Wait> {
      ::pthread_getname_np(::pthread_self(), name.data(), name.size());
      sigset_t mask;
      ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      is_blocked = ::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGCHLD) == 1;
      return std::nullopt;
    });
  }
  EXPECT_STREQ(name.c_str(), "vulcan-test");
  EXPECT_TRUE(is_blocked);
}

}  // namespace
}  // namespace vulcan::addon
