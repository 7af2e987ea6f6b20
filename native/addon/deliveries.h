#pragma once

#include <napi.h>

#include <deque>
#include <functional>
#include <mutex>

namespace vulcan::addon {

class Task;

// Tasks that are done, on their way from the lanes to the environment's thread, which gets a few of them in
// each turn of its event loop: lanes that end tasks as fast as it takes them would keep it from all else
// otherwise, as it takes up to 1,000 calls of a thread-safe function in one turn (kMaxIterationCount of
// Node's node_api.cc).
class Deliveries {
 public:
  // Called on the environment's thread.
  using Finish = std::function<void(Napi::Env, Task*)>;

  Deliveries(Napi::Env env, Finish finish);
  ~Deliveries() = default;
  Deliveries(const Deliveries&) = delete;
  Deliveries& operator=(const Deliveries&) = delete;

  // From any lane.
  void Add(Task* task);
  // Whether the event loop has to go on for those that are to come.
  void Ref(Napi::Env env);
  void Unref(Napi::Env env);

 private:
  static void Turn(Napi::Env env, Napi::Function next_turn, Deliveries* deliveries, void*);
  void Deliver(Napi::Env env);
  // And whether there are more.
  [[nodiscard]] bool Take(std::deque<Task*>& tasks);

  using Signal = Napi::TypedThreadSafeFunction<Deliveries, void, &Deliveries::Turn>;

  Finish finish_;
  Napi::FunctionReference set_immediate_;
  Napi::FunctionReference next_turn_;
  Signal signal_;
  std::mutex mutex_;
  std::deque<Task*> done_;
};

}  // namespace vulcan::addon
