#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/unique_fd.h"

namespace vulcan {

// Which namespace: its inode on nsfs. The kernel gives an inode to another namespace when this one is gone.
struct NamespaceId {
  std::uint64_t device;
  std::uint64_t inode;

  friend bool operator==(const NamespaceId&, const NamespaceId&) = default;
};
[[nodiscard]] NamespaceId IdOfNamespace(int ns_fd);

// Opens a network namespace. ENOENT when the path is absent; reason kNotANamespace when it is something else.
[[nodiscard]] UniqueFd OpenNamespace(const std::string& path);

// The calling thread's own.
[[nodiscard]] UniqueFd OpenCurrentNamespace();

// Whether the path leads to the namespace of this process; false for what is absent or something else.
[[nodiscard]] bool IsHostNamespace(const std::string& path);

// Moves the calling thread, for good: for a process that has no other thread and nothing to do elsewhere.
void EnterNamespace(int ns_fd);

// Where a function runs: a thread made for it, which ends afterwards. So no thread ever has to find its way
// back. `beside` runs on the calling thread meanwhile.
void RunInNamespace(
    int ns_fd, const std::function<void()>& body, const std::function<void()>& beside = [] {});
void RunInNewNamespace(const std::function<void()>& body);

namespace detail {

template <typename Run, typename Body>
auto Returning(Run run, Body&& body) {
  using Result = std::invoke_result_t<Body&>;
  if constexpr (std::is_void_v<Result>) {
    run(std::ref(body));
  } else {
    std::optional<Result> result;
    run([&result, &body] { result.emplace(body()); });
    return std::move(*result);
  }
}

}  // namespace detail

// Runs `body` inside the namespace and returns what it returns; what it throws is thrown here.
// Sockets opened inside belong to that namespace for ever and may be used by any thread.
template <typename Body>
auto InNamespace(int ns_fd, Body&& body) {
  return detail::Returning([ns_fd](const std::function<void()>& run) { RunInNamespace(ns_fd, run); }, body);
}

// The same in a namespace made for it, which lives as long as something refers to it.
template <typename Body>
auto InNewNamespace(Body&& body) {
  return detail::Returning([](const std::function<void()>& run) { RunInNewNamespace(run); }, body);
}

}  // namespace vulcan
