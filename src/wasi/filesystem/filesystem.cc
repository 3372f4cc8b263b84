#include "wasi/filesystem/filesystem.h"

#include "wasi/binder.h"
#include "wasi/context.h"
#include "wasi/filesystem/functions.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace tenon::wasi {
namespace filesystem {
namespace {

std::vector<std::tuple<Own<Descriptor>, std::string_view>> getDirectories(call::HostCall& call) {
  if (contextOf(call).preopens.empty())
    contextOf(call).refusals->remember(Refusal::Kind::DIRECTORIES);
  std::vector<std::tuple<Own<Descriptor>, std::string_view>> directories;
  for (const Preopen& preopen : contextOf(call).preopens) {
    directories.emplace_back(give(call, std::make_unique<Descriptor>(preopen.directory)),
                             preopen.name);
  }
  return directories;
}

std::optional<ErrorCode> filesystemErrorCode(call::HostCall&, net::IoError& error) {
  if (error.systemError == 0 || error.of != net::IoError::Of::FILE) return std::nullopt;
  return toErrorCode(error.systemError);
}

tenon::ErrorCode codeFor(int systemError) {
  switch (systemError) {
    case ENOENT:
      return tenon::ErrorCode::NOT_FOUND;
    case ENOTDIR:
      return tenon::ErrorCode::INVALID_ARGUMENT;
    case EACCES:
    case EPERM:
      return tenon::ErrorCode::PERMISSION;
    default:
      return tenon::ErrorCode::IO;
  }
}

std::string nameOf(const DirectoryGrant& grant) {
  std::string name = grant.guest;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name;
}

}  // namespace
}  // namespace filesystem

Result<std::vector<Preopen>> openGrants(const std::vector<DirectoryGrant>& grants) {
  using namespace filesystem;
  std::vector<Preopen> preopens;
  for (const DirectoryGrant& grant : grants) {
    net::OwnedFd fd(::open(grant.host.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd == nullptr) {
      int error = errno;
      return Error(codeFor(error), "cannot give the directory '" + grant.host +
                                       "' to the guest: " + std::strerror(error));
    }
    struct stat status;
    if (::fstat(fd, &status) != 0) {
      int error = errno;
      return Error(codeFor(error),
                   "cannot look at the directory '" + grant.host + "': " + std::strerror(error));
    }
    auto directory = OpenFile::of(std::move(fd), status, nullptr);
    directory->flags = DescriptorFlags::READ;
    directory->granted = std::make_shared<const std::string>(grant.guest);
    directory->grant = grant.readOnly ? Grant::READ_ONLY : Grant::READ_WRITE;
    if (!grant.readOnly) directory->flags = directory->flags | DescriptorFlags::MUTATE_DIRECTORY;
    preopens.push_back({std::move(directory), nameOf(grant)});
  }
  return preopens;
}

void provideFilesystem(call::Registry& registry) {
  using namespace filesystem;
  Binder types(registry, "wasi:filesystem/types@0.2.12");
  provideDescriptorFunctions(types);
  providePathFunctions(types);
  types.function<filesystemErrorCode>("filesystem-error-code");
  Binder(registry, "wasi:filesystem/preopens@0.2.12").function<getDirectories>("get-directories");
}

}  // namespace tenon::wasi
