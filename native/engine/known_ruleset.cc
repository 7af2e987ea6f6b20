#include "engine/known_ruleset.h"

#include <algorithm>
#include <utility>

namespace vulcan {

bool KnownRuleset::Has(std::uint32_t generation, const Reliance& reliance) const {
  return generation == generation_ &&
         std::find(relied_on_.begin(), relied_on_.end(), reliance) != relied_on_.end();
}

void KnownRuleset::Learn(std::uint32_t generation, Reliance reliance) {
  if (generation != generation_) relied_on_.clear();
  generation_ = generation;
  relied_on_.push_back(std::move(reliance));
}

}  // namespace vulcan
