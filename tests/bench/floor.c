/*
 * floor: the least that a container can cost.
 *
 *     floor [-c] ROOT COMMAND [ARGUMENT...]
 *
 * One process and one fork make the system calls behind
 *
 *     cgctl new m=64M -- unshare-rs -pum pivot ROOT COMMAND
 *
 * and, with -c, most of those behind `-pumin pivot --confine` (all but the
 * seccomp filter, about 0.1 ms). What the pipeline costs above this is what
 * its separate programs, its options and its checks cost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

enum { LINK_FAILED = 125, NOT_RUNNABLE = 126, NOT_FOUND = 127 };

/* The group in the v2 tree holds the processes; on hybrid hosts its twin in
 * the v1 memory hierarchy holds the limit, and v1 is "" elsewhere. */
static struct {
	pid_t owner;
	char v2[64], v1[64];
	int dir, v1_tasks;
} group = { .dir = -1, .v1_tasks = -1 };

static void remove_group(void);

static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "floor: cannot %s: %s\n", what, strerror(errno));
	if (getpid() == group.owner)
		remove_group();
	_exit(LINK_FAILED);
}

/* ---- the group ---- */

static int open_knob(const char *directory, const char *file, int flags)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", directory, file);
	return open(path, flags | O_CLOEXEC);
}

static int set_knob(const char *directory, const char *file, const char *value)
{
	int fd = open_knob(directory, file, O_WRONLY);

	if (fd < 0)
		return -1;
	int written = write(fd, value, strlen(value));
	close(fd);
	return written;
}

/* Kernels without swap accounting lack the file; that is no error. */
static void set_swap_knob(const char *directory, const char *file, const char *value)
{
	if (set_knob(directory, file, value) < 0 && errno != ENOENT)
		must(-1, file);
}

static void limit_memory_v1(void)
{
	must(mkdir(group.v1, 0755), "make the v1 memory group");
	must(set_knob(group.v1, "memory.limit_in_bytes", "64M"), "set memory.limit_in_bytes");
	set_swap_knob(group.v1, "memory.memsw.limit_in_bytes", "64M");
	group.v1_tasks = must(open_knob(group.v1, "tasks", O_WRONLY), "open the v1 tasks file");
}

static void enable_memory_v2(const char *parent)
{
	char enabled[256] = "";
	int fd = must(open_knob(parent, "cgroup.subtree_control", O_RDWR), "open cgroup.subtree_control");

	must(read(fd, enabled, sizeof enabled - 1), "read cgroup.subtree_control");
	if (!strstr(enabled, "memory"))
		must(write(fd, "+memory", 7), "enable the memory controller");
	close(fd);
}

static void make_group(void)
{
	struct statfs top;

	must(statfs("/sys/fs/cgroup", &top), "look at /sys/fs/cgroup");
	int pure_v2 = top.f_type == CGROUP2_SUPER_MAGIC;
	const char *v2_root = pure_v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
	pid_t owner = getpid();

	snprintf(group.v2, sizeof group.v2, "%s/cgctl-floor-%d", v2_root, owner);
	must(mkdir(group.v2, 0755), "make the v2 group");
	group.owner = owner;
	group.dir = must(open(group.v2, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open the group");
	must(flock(group.dir, LOCK_EX | LOCK_NB), "lock the group");
	must(fsetxattr(group.dir, "user.cgctl", "floor", 5, 0), "mark the group");
	if (pure_v2) {
		enable_memory_v2(v2_root);
		must(set_knob(group.v2, "memory.max", "64M"), "set memory.max");
		set_swap_knob(group.v2, "memory.swap.max", "0");
	} else {
		snprintf(group.v1, sizeof group.v1, "/sys/fs/cgroup/memory/cgctl-floor-%d", owner);
		limit_memory_v1();
	}
}

/* The pid namespace took every process with it, so nothing keeps the group busy. */
static void remove_group(void)
{
	rmdir(group.v2);
	if (group.v1[0])
		rmdir(group.v1);
}

/* ---- the root ---- */

static int open_in_root(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	return syscall(SYS_openat2, root, path, &how, sizeof how);
}

static int clone_tree(int directory, const char *path)
{
	return must(open_tree(directory, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH), path);
}

static void attach(int mount, int target, const char *what)
{
	must(move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), what);
}

static int new_mount(const char *type, unsigned attributes, const char *const *options)
{
	int context = must(fsopen(type, FSOPEN_CLOEXEC), type);

	for (; *options; options += 2)
		must(fsconfig(context, FSCONFIG_SET_STRING, options[0], options[1], 0), options[0]);
	must(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
	return must(fsmount(context, FSMOUNT_CLOEXEC, attributes), type);
}

static int mount_in_root(int root, const char *target, const char *type, unsigned attributes,
			 const char *const *options)
{
	int mount = new_mount(type, attributes, options);

	attach(mount, must(open_in_root(root, target), target), target);
	return mount;
}

static void make_devices(int dev)
{
	static const struct { const char *name; unsigned major, minor; } nodes[] = {
		{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
	};
	static const char *const directories[] = { "pts", "shm", "mqueue" };

	for (size_t i = 0; i < LENGTH(nodes); i++)
		must(mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
		     nodes[i].name);
	for (size_t i = 0; i < LENGTH(links); i++)
		must(symlinkat(links[i][1], dev, links[i][0]), links[i][0]);
	for (size_t i = 0; i < LENGTH(directories); i++)
		must(mkdirat(dev, directories[i], 0755), directories[i]);
}

static int mount_defaults(int root)
{
	static const char *const none[] = { NULL };
	static const char *const dev_options[] = { "mode", "755", "size", "64M", NULL };
	static const char *const pts_options[] = { "mode", "620", "ptmxmode", "666", "gid", "5", NULL };
	static const char *const shm_options[] = { "mode", "1777", "size", "64M", NULL };

	mount_in_root(root, "proc", "proc", SAFE, none);
	mount_in_root(root, "sys", "sysfs", SAFE | MOUNT_ATTR_RDONLY, none);
	int dev = mount_in_root(root, "dev", "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME, dev_options);
	make_devices(dev);
	mount_in_root(dev, "pts", "devpts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, pts_options);
	mount_in_root(dev, "shm", "tmpfs", SAFE, shm_options);
	mount_in_root(dev, "mqueue", "mqueue", SAFE, none);
	return dev;
}

static int is_directory(int fd)
{
	struct stat status;

	must(fstat(fd, &status), "look at a masked path");
	return S_ISDIR(status.st_mode);
}

/* Returns the mount to clone for the next directory: a mount can only be
 * cloned once it is attached, so the first directory gets the original. */
static int mask(int root, int dev, int empty, const char *path)
{
	int target = open_in_root(root, path);

	if (target < 0)
		return empty;
	if (!is_directory(target)) {
		attach(clone_tree(dev, "null"), target, path);
	} else if (empty >= 0) {
		attach(clone_tree(empty, ""), target, path);
	} else {
		empty = new_mount("tmpfs", SAFE | MOUNT_ATTR_RDONLY, (const char *[]){ "nr_inodes", "1", NULL });
		attach(empty, target, path);
	}
	close(target);
	return empty;
}

static void mask_paths(int root, int dev)
{
	static const char *const masked[] = {
		"proc/acpi", "proc/asound", "proc/interrupts", "proc/kcore", "proc/keys", "proc/latency_stats",
		"proc/sched_debug", "proc/scsi", "proc/timer_list", "proc/timer_stats",
		"sys/firmware", "sys/devices/virtual/powercap",
	};
	int empty = -1;

	for (size_t i = 0; i < LENGTH(masked); i++)
		empty = mask(root, dev, empty, masked[i]);
}

static void make_paths_read_only(int root)
{
	static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < LENGTH(read_only); i++) {
		int target = open_in_root(root, read_only[i]);
		if (target < 0)
			continue;
		int tree = clone_tree(target, "");
		must(mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes), read_only[i]);
		attach(tree, target, read_only[i]);
	}
}

static void switch_root(const char *path)
{
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make the mounts private");
	int place = must(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), path);
	int root = clone_tree(place, "");
	attach(root, place, path);
	int dev = mount_defaults(root);
	mask_paths(root, dev);
	make_paths_read_only(root);
	must(fchdir(root), "enter the root");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "detach the old root");
	must(chdir("/"), "chdir");
}

/* ---- the command ---- */

static void confine(void)
{
	const unsigned docker = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FSETID | 1u << CAP_FOWNER |
		1u << CAP_MKNOD | 1u << CAP_NET_RAW | 1u << CAP_SETGID | 1u << CAP_SETUID | 1u << CAP_SETFCAP |
		1u << CAP_SETPCAP | 1u << CAP_NET_BIND_SERVICE | 1u << CAP_SYS_CHROOT | 1u << CAP_KILL | 1u << CAP_AUDIT_WRITE;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { .effective = docker, .permitted = docker } };

	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capability > 31 || !(docker >> capability & 1))
			must(prctl(PR_CAPBSET_DROP, capability), "drop a capability");
	must(syscall(SYS_capset, &header, sets), "set the capabilities");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
	must(setsid(), "make a session");
}

static _Noreturn void run(const char *root, char **command, int confined)
{
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "follow the parent's death");
	/* "0" in `tasks` moves one thread without the 10 ms grace period that
	 * `cgroup.procs` or a pid number costs. */
	if (group.v1_tasks >= 0)
		must(write(group.v1_tasks, "0", 1), "join the v1 memory group");
	umask(0);
	switch_root(root);
	umask(022);
	if (confined)
		confine();
	must(syscall(SYS_close_range, 3, ~0u, 0), "close the inherited files");
	execvp(command[0], command);
	fprintf(stderr, "floor: cannot run %s: %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? NOT_FOUND : NOT_RUNNABLE);
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return LINK_FAILED;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int confined = argc > 1 && strcmp(argv[1], "-c") == 0;
	char **operands = argv + 1 + confined;

	if (argc < 3 + confined) {
		fprintf(stderr, "usage: floor [-c] ROOT COMMAND [ARGUMENT...]\n");
		return LINK_FAILED;
	}
	make_group();
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNS |
			 (confined ? CLONE_NEWNET | CLONE_NEWIPC : 0),
		.exit_signal = SIGCHLD,
		.cgroup = group.dir,
	};
	pid_t child = must(syscall(SYS_clone3, &arguments, sizeof arguments), "start the child");
	if (child == 0)
		run(operands[0], operands + 1, confined);
	int status = wait_for(child);
	remove_group();
	return status;
}
