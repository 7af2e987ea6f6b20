#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/bind_sys.h"
#include "addon/convert_attachment.h"
#include "addon/task.h"
#include "sys/configuration.h"
#include "sys/directory.h"
#include "sys/file_store.h"

namespace vulcan::addon {
namespace {

struct DirectoryPlan {
  std::string path;
  mode_t mode;
};

struct FilePlan {
  std::string directory;
  std::string name;
};

struct ListPlan {
  std::string directory;
  bool follow;
};

struct ReadPlan {
  FilePlan file;
  std::size_t limit;
  bool follow;
};

struct FindPlan {
  std::vector<std::string> directories;
  std::string name;
};

struct WritePlan {
  FilePlan file;
  std::string data;
  mode_t mode;
};

[[nodiscard]] FilePlan ToFilePlan(const Fields& plan) {
  return {plan.String("directory"), plan.String("name")};
}

[[nodiscard]] bool Follow(const Fields& plan) { return plan.OptionalBool("follow").value_or(false); }

void BindDirectory(Napi::Object exports, Module& module) {
  Export(
      exports, module, "directoryEnsure", LaneName::kFile,
      [](const Fields& plan) {
        return DirectoryPlan{plan.String("path"), plan.Integer<mode_t>("mode")};
      },
      [](const DirectoryPlan& plan, const Cancellation&) { return EnsureDirectory(plan.path, plan.mode); },
      [](Napi::Env env, bool created) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("created", Napi::Boolean::New(env, created));
        return object;
      });
  Export(
      exports, module, "fileList", LaneName::kFile,
      [](const Fields& plan) {
        return ListPlan{plan.String("directory"), Follow(plan)};
      },
      [](const ListPlan& plan, const Cancellation&) {
        if (plan.follow) return ListConfiguration(plan.directory);
        const auto directory = Directory::OpenIfPresent(plan.directory);
        return directory ? ListFiles(*directory) : std::vector<std::string>{};
      });
}

void BindFind(Napi::Object exports, Module& module) {
  Export(
      exports, module, "fileFind", LaneName::kFile,
      [](const Fields& plan) {
        return FindPlan{plan.Strings("directories"), plan.String("name")};
      },
      [](const FindPlan& plan, const Cancellation&) { return FindFile(plan.directories, plan.name); },
      [](Napi::Env env, const std::optional<FoundFile>& found) -> Napi::Value {
        if (!found) return env.Null();
        Napi::Object object = Napi::Object::New(env);
        object.Set("path", found->path);
        object.Set("executable", found->executable);
        return object;
      });
}

}  // namespace

void BindFiles(Napi::Object exports, Module& module) {
  BindDirectory(exports, module);
  BindFind(exports, module);
  Export(
      exports, module, "fileRead", LaneName::kFile,
      [](const Fields& plan) {
        return ReadPlan{ToFilePlan(plan), plan.Integer<std::size_t>("limit"), Follow(plan)};
      },
      [](const ReadPlan& plan, const Cancellation&) {
        const auto& [path, name] = plan.file;
        if (plan.follow) return ReadConfiguration(path + "/" + name, plan.limit);
        const auto directory = Directory::OpenIfPresent(plan.file.directory);
        return directory ? ReadFile(*directory, plan.file.name, plan.limit) : std::nullopt;
      });
  Export(
      exports, module, "fileVersion", LaneName::kFile, ToFilePlan,
      [](const FilePlan& plan, const Cancellation&) {
        const auto directory = Directory::OpenIfPresent(plan.directory);
        return directory ? VersionOf(*directory, plan.name) : std::nullopt;
      },
      [](Napi::Env env, const std::optional<FileVersion>& version) -> Napi::Value {
        return version ? Napi::Value(VersionToJs(env, *version)) : env.Null();
      });
  Export(
      exports, module, "fileWrite", LaneName::kFile,
      [](const Fields& plan) {
        return WritePlan{ToFilePlan(plan), plan.Text("data"), plan.Integer<mode_t>("mode")};
      },
      [](const WritePlan& plan, const Cancellation&) {
        WriteFile(Directory::Open(plan.file.directory), plan.file.name, plan.data, plan.mode);
      });
  Export(
      exports, module, "fileReadAll", LaneName::kScan,
      [](const Fields& plan) {
        return std::pair(plan.String("directory"), plan.Integer<std::size_t>("limit"));
      },
      [](const std::pair<std::string, std::size_t>& plan, const Cancellation&) {
        const auto directory = Directory::OpenIfPresent(plan.first);
        return directory ? ReadFiles(*directory, plan.second) : std::vector<NamedText>{};
      },
      [](Napi::Env env, const std::vector<NamedText>& files) {
        return ToArray(env, files, [](Napi::Env e, const NamedText& file) {
          Napi::Object object = Napi::Object::New(e);
          object.Set("name", file.name);
          object.Set("text", ToJs(e, file.text));
          return object;
        });
      });
  Export(exports, module, "fileRemove", LaneName::kFile, ToFilePlan,
         [](const FilePlan& plan, const Cancellation&) {
           const auto directory = Directory::OpenIfPresent(plan.directory);
           return directory && RemoveFile(*directory, plan.name);
         });
}

}  // namespace vulcan::addon
