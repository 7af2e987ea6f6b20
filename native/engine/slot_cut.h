#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "engine/attachment_host.h"
#include "engine/slot.h"

namespace vulcan {

// Keeps slots that were returned cut off, whoever is in their namespaces. For each, why it can't be, or
// nothing.
[[nodiscard]] std::vector<std::optional<Error>> CutSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                                         AttachmentHost& host);

// Those whose guards and addresses go: with their links, which may be gone, or be no ports any more. For
// each, why it may still be talked from, or nothing.
[[nodiscard]] std::vector<std::optional<Error>> CutLeftSlots(const std::vector<std::shared_ptr<Slot>>& slots,
                                                             AttachmentHost& host);

}  // namespace vulcan
