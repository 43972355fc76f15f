/* os/sigpipe.c - see sigpipe.h. */
#include "os/sigpipe.h"

#include <stddef.h>
#include <unistd.h>

__thread volatile sig_atomic_t wo_sigpipe_spared __attribute__((tls_model("initial-exec")));

/* What the kernel raises seems to be sent by the process itself. */
static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (wo_sigpipe_spared && info->si_pid == getpid())
		return;
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	raise(signal); /* it arrives when the handler returns */
}

void wo_sigpipe_init(void)
{
	struct sigaction now;
	if (sigaction(SIGPIPE, NULL, &now) < 0 || (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
		return;
	struct sigaction ours = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	sigemptyset(&ours.sa_mask);
	sigaction(SIGPIPE, &ours, NULL);
}
