#include "addon/deliveries.h"

#include <cstddef>
#include <utility>

namespace vulcan::addon {
namespace {

// What follows from one, in JavaScript, takes 20 to 60 us.
constexpr std::size_t kInOneTurn = 8;

}  // namespace

Deliveries::Deliveries(Napi::Env env, Finish finish)
    : finish_(std::move(finish)),
      set_immediate_(Napi::Persistent(env.Global().Get("setImmediate").As<Napi::Function>())),
      next_turn_(Napi::Persistent(
          Napi::Function::New(env, [this](const Napi::CallbackInfo& info) { Deliver(info.Env()); }))),
      signal_(Signal::New(env, "vulcan-net", 0, 1, this)) {
  Unref(env);
}

void Deliveries::Add(Task* task) {
  bool is_first = false;
  {
    const std::lock_guard guard(mutex_);
    is_first = done_.empty();
    done_.push_back(task);
  }
  // Whoever takes those before it takes this one, too.
  if (is_first) signal_.NonBlockingCall();
}

void Deliveries::Ref(Napi::Env env) { signal_.Ref(env); }

void Deliveries::Unref(Napi::Env env) { signal_.Unref(env); }

void Deliveries::Turn(Napi::Env env, Napi::Function, Deliveries* deliveries, void*) {
  // Without an environment tasks are destroyed together with the module.
  if (static_cast<napi_env>(env) != nullptr) deliveries->Deliver(env);
}

void Deliveries::Deliver(Napi::Env env) {
  std::deque<Task*> tasks;
  const bool more = Take(tasks);
  try {
    if (more) set_immediate_.Call({next_turn_.Value()});
  } catch (const Napi::Error&) {
    // JavaScript can't run any more: a worker that is being terminated. Nobody is left to be told of the
    // others.
  }
  for (Task* task : tasks) finish_(env, task);
}

bool Deliveries::Take(std::deque<Task*>& tasks) {
  const std::lock_guard guard(mutex_);
  while (!done_.empty() && tasks.size() < kInOneTurn) {
    tasks.push_back(done_.front());
    done_.pop_front();
  }
  return !done_.empty();
}

}  // namespace vulcan::addon
