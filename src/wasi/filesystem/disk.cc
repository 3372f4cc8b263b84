#include "wasi/filesystem/disk.h"

#include <sys/vfs.h>

#include <map>
#include <mutex>

namespace tenon::wasi::filesystem {
namespace {

// statfs's f_type of file systems that the kernel does not answer for itself. Source: statfs(2),
// linux/magic.h.
Disk::Kind kindOf(int fd) {
  struct statfs status;
  if (::fstatfs(fd, &status) != 0) return Disk::Kind::REMOTE;
  switch (static_cast<uint32_t>(status.f_type)) {
    case 0x6969:      // NFS
    case 0x517b:      // SMB
    case 0xff534d42:  // CIFS
    case 0xfe534d42:  // SMB2
    case 0x65735546:  // FUSE, virtiofs
    case 0x01021997:  // 9P
    case 0x5346414f:  // AFS
    case 0x6b414653:
    case 0x00c36400:  // Ceph
    case 0x73757245:  // Coda
    case 0x0bd00bd0:  // Lustre
    case 0x01161970:  // GFS2
    case 0x7461636f:  // OCFS2
    case 0x47504653:  // GPFS
    case 0x187:       // autofs
      return Disk::Kind::REMOTE;
    default:
      return Disk::Kind::LOCAL;
  }
}

struct Disks {
  std::mutex mutex;
  std::map<dev_t, std::unique_ptr<Disk>> byDevice;
};

}  // namespace

Disk& Disk::of(int fd, dev_t device) {
  static Disks* const DISKS = new Disks;  // threads may use a disk until the process ends
  std::lock_guard lock(DISKS->mutex);
  std::unique_ptr<Disk>& disk = DISKS->byDevice[device];
  if (!disk) disk = std::make_unique<Disk>(kindOf(fd));
  return *disk;
}

}  // namespace tenon::wasi::filesystem
