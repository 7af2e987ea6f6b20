#pragma once

// Defines `name` as the process's `symbol`, before libc's. The function has a name of its own, so that libc's
// declarations, with their attributes, say nothing about it.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define VULCAN_STAND_BEFORE(symbol, result, name, ...)                                 \
  extern "C" [[gnu::visibility("default")]] result name(__VA_ARGS__) __asm__(#symbol); \
  result name(__VA_ARGS__)
