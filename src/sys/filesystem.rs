//! What kind of file system a file lies on (statfs(2)).

use std::os::fd::AsFd;

/// Those on which another machine, or a program, changes files behind this kernel's back: inotify(7)
/// tells only what is done from here. The numbers are those of `<linux/magic.h>` and of the file
/// systems' own sources.
const REMOTE: [u64; 14] = [
    0x6969,      // NFS
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB 2 and later
    0x517b,      // SMB
    0x0102_1997, // 9P
    0x6573_5546, // FUSE
    0x00c3_6400, // Ceph
    0x5346_414f, // AFS
    0x6b41_4653, // kAFS
    0x7375_7245, // Coda
    0x0bd0_0bd0, // Lustre
    0x4750_4653, // GPFS
    0x564c,      // NCP
    0x786f_4256, // shared folders of VirtualBox
];

/// Whether the kernel announces every change to a file here.
pub fn announces_changes(file: impl AsFd) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|statfs| !is_remote(statfs.f_type.cast_unsigned()))
}

/// On some machines the number is 32 bits wide and signed.
fn is_remote(kind: u64) -> bool {
    REMOTE.contains(&(kind & u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::{announces_changes, is_remote};
    use std::fs::File;

    #[test]
    fn network_file_systems_announce_nothing_and_local_ones_do() {
        let remote = [0x6969, 0xff53_4d42, 0xffff_ffff_ff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546];
        assert!(remote.into_iter().all(is_remote));
        // ext4, XFS, btrfs, tmpfs, overlayfs, ZFS, F2FS
        let local = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1, 0xf2f5_2010];
        assert!(!local.into_iter().any(is_remote));
        assert!(announces_changes(File::open("/proc/self/stat").expect("it is there")));
    }
}
