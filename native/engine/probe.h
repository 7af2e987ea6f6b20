#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vulcan {

// Mirrors ProbeResult in lib/native/host.ts.
struct ProbeResult {
  std::string feature;
  bool ok;
  // When not ok: the errno's name, and what was tried.
  std::string error;
  std::string syscall;
};

// Uses each kernel feature in a network and a mount namespace that end with the call, so that nothing is left
// behind. Where there can't be a new network namespace, what needs one is left out.
[[nodiscard]] std::vector<ProbeResult> Probe();

// Whether `use` gets through without an Error.
[[nodiscard]] ProbeResult Try(std::string_view feature, const std::function<void()>& use);

// The parts, in the network namespace of the calling thread.
[[nodiscard]] std::vector<ProbeResult> ProbeLinks();
[[nodiscard]] std::vector<ProbeResult> ProbeNft();

}  // namespace vulcan
