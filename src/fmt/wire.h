/* fmt/wire.h - constants of the container: header, limits, statuses. */
#ifndef WF_WIRE_H
#define WF_WIRE_H

/* "go 1.NN trace" and three zero bytes. */
enum {
	WF_HEADER_BYTES = 16,
	WF_BATCH_BYTES_MAX = 64 << 10,   /* data of one batch */
	WF_STRING_BYTES_MAX = 1 << 10,
	WF_FRAMES_MAX = 128,             /* of one stack */
};

/* Versions that exist: NN of the header. */
#define WF_VERSIONS(X)                                                                                       \
	X(11, "Go 1.11 to 1.18")                                                                             \
	X(19, "Go 1.19 or 1.20") X(21, "Go 1.21") X(22, "Go 1.22") X(23, "Go 1.23 or 1.24") X(25, "Go 1.25") \
		X(26, "Go 1.26 or 1.27")

/* GoStatus and ProcStatus on the wire. */
enum { WF_GO_BAD, WF_GO_RUNNABLE, WF_GO_RUNNING, WF_GO_SYSCALL, WF_GO_WAITING, WF_GO_STATUS_COUNT };
enum { WF_PROC_BAD, WF_PROC_RUNNING, WF_PROC_IDLE, WF_PROC_SYSCALL, WF_PROC_SYSCALL_ABANDONED, WF_PROC_STATUS_COUNT };

#endif
