#pragma once

// Package wasi:filesystem: preopens, types. A guest has the directories that it was granted and
// what is below them.

#include "call/registry.h"
#include "wasi/filesystem/descriptor.h"

#include <tenon/instance.h>
#include <tenon/result.h>

#include <memory>
#include <string>
#include <vector>

namespace tenon::wasi {

// A directory that the guest gets from wasi:filesystem/preopens.
struct Preopen {
  std::shared_ptr<filesystem::OpenFile> directory;
  std::string name;
};

// Opens the directories of a component's grants. Errors: NOT_FOUND, INVALID_ARGUMENT (no
// directory), PERMISSION, IO; each names the directory.
Result<std::vector<Preopen>> openGrants(const std::vector<DirectoryGrant>& grants);

void provideFilesystem(call::Registry& registry);
}  // namespace tenon::wasi
