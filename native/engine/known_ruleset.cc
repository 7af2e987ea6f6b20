#include "engine/known_ruleset.h"

#include <algorithm>
#include <utility>

namespace vulcan {
namespace {

constexpr int kTimes = 2;

[[nodiscard]] auto IsOf(const Reliance& reliance) {
  return [&reliance](const auto& finding) { return finding.reliance == reliance; };
}

}  // namespace

bool KnownRuleset::Has(std::uint32_t generation, const Reliance& reliance) const {
  if (generation != generation_) return false;
  const auto finding = std::find_if(findings_.begin(), findings_.end(), IsOf(reliance));
  return finding != findings_.end() && finding->times >= kTimes;
}

void KnownRuleset::Found(std::uint32_t generation, Reliance reliance) {
  if (generation != generation_) findings_.clear();
  generation_ = generation;
  const auto finding = std::find_if(findings_.begin(), findings_.end(), IsOf(reliance));
  if (finding != findings_.end()) {
    ++finding->times;
  } else {
    findings_.push_back({std::move(reliance), 1});
  }
}

}  // namespace vulcan
