#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vulcan::fuzz {

using Input = std::span<const std::uint8_t>;

// Takes the place of the kernel on every netlink socket of the fuzzer: whatever is asked, the answer is the
// next datagram of the input, each behind its length in two bytes. Sequence numbers are made to fit. At the
// input's end everything is answered with success.
void AnswerWith(Input input);

}  // namespace vulcan::fuzz
