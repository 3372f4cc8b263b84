#pragma once

// The functions of wasi:filesystem/types, in two files: on an open descriptor, and on paths below
// one.

#include "wasi/binder.h"
#include "wasi/filesystem/descriptor.h"

namespace tenon::wasi::filesystem {

void provideDescriptorFunctions(Binder& types);
void providePathFunctions(Binder& types);

// What `metadata-hash` gives: the file's identity, so that it stays the same while the content
// changes (libcs make the inode number of it), mixed with a secret of this process.
MetadataHashValue hashOf(dev_t device, ino_t inode);

// What utimensat takes. An errno as error: EINVAL, EOVERFLOW.
Expected<timespec, int> toTimespec(const NewTimestamp& time);

}  // namespace tenon::wasi::filesystem
