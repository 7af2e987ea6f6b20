#pragma once

#include <dirent.h>

#include <memory>

namespace vulcan {

struct CloseDirectory {
  void operator()(DIR* stream) const noexcept { ::closedir(stream); }
};

using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace vulcan
