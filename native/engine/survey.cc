#include "engine/survey.h"

namespace vulcan {

Survey TakeSurvey(const SurveyPlan& plan, const Cancellation& cancellation) {
  Survey survey;
  survey.claims = ReadClaims(plan.locks);
  cancellation.ThrowIfCancelled();
  survey.anchors = ListAnchorStates(plan.anchors, plan.prefix, survey.claims);
  cancellation.ThrowIfCancelled();
  RtnlSocket socket;
  survey.links = DumpLinks(socket);
  cancellation.ThrowIfCancelled();
  survey.guarded = guard::List();
  cancellation.ThrowIfCancelled();
  if (plan.addresses) survey.addresses = ListReservations(*plan.addresses);
  return survey;
}

}  // namespace vulcan
