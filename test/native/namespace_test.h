#pragma once

#include <gtest/gtest.h>

#include <cerrno>

#include "base/error.h"
#include "sys/netns.h"

namespace vulcan {

// Of what takes place in network namespaces of its own.
class NamespaceTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      RunInNewNamespace([] {});
    } catch (const Error& error) {
      if (error.Errnum() != EPERM) throw;
      GTEST_SKIP() << "needs CAP_SYS_ADMIN: run it as root";
    }
  }
};

}  // namespace vulcan
