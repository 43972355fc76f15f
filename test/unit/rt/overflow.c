/* Running out of a stack is told; other faults go where they went. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/ctx/ctx.h"
#include "rt/stack/overflow.h"
#include "rt/stack/unwind.h"

static weft__ctx home, ctx;
static void *stack_hi;
static int class;

#define CHECK(cond) ((cond) ? (void)0 : (dprintf(1, "%s:%d: %s\n", __FILE__, __LINE__, #cond), _exit(1)))

/* Signal handlers may not call stdio. */
static void say(const char *text)
{
	(void)!write(1, text, strlen(text));
}

static void say_number(uintptr_t n)
{
	char text[24] = { 0 };
	char *at = text + sizeof(text) - 1;
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	say(at);
}

static void report(const wo_fault *f, const weft__stack_place *s)
{
	uintptr_t pcs[32];
	size_t n = weft__unwind_fp(f->pc, f->fp, (uintptr_t)s->lo, (uintptr_t)s->hi, pcs, 32);
	say("stack overflow (");
	say_number(weft__stack_bytes(s->class) / 1024);
	say(" KiB) frames ");
	say_number(n);
	say(s->hi == stack_hi ? " here\n" : " elsewhere\n");
}

static volatile unsigned sink;

__attribute__((noinline)) static unsigned recurse(unsigned depth)
{
	volatile char frame[200];
	frame[depth % 200] = (char)depth;
	return depth == UINT32_MAX ? 0 : recurse(depth + 1) + frame[depth % 200];
}

static void run_away(void *arg)
{
	(void)arg;
	sink = recurse(0);
	weft__ctx_exit(&ctx, &home);
}

/* One frame of 24 KiB on a stack of 16: probed page by page. */
__attribute__((noinline, no_sanitize("address"))) static void large_frame(void *arg)
{
	(void)arg;
	char frame[24 << 10];
	frame[0] = 1;
	__asm__ volatile("" : : "r"(frame) : "memory"); /* it must be there, and here: ASan would put it elsewhere */
	weft__ctx_exit(&ctx, &home);
}

static void stray(void *arg)
{
	(void)arg;
	void *other;
	CHECK(weft__stack_take(class, &other, 1) == 1);
	*((volatile char *)weft__stack_lo(other, class) - 8) = 1;
}

static void low_pointer(void *arg)
{
	*(volatile char *)arg = 1;
}

static void sent(void *arg)
{
	(void)arg;
	raise(SIGSEGV);
	dprintf(1, "still there\n");
	_exit(0);
}

static void their_handler(int signal)
{
	say(signal == SIGSEGV ? "their handler\n" : "?");
	_exit(3);
}

static void their_info_handler(int signal, siginfo_t *info, void *uc)
{
	(void)uc;
	say(signal == SIGSEGV ? "their handler " : "?");
	say_number((uintptr_t)info->si_addr);
	_exit(3);
}

static void setup_child(size_t bytes, struct sigaction *before)
{
	static wo_sigstack ss;
	sigaction(SIGSEGV, before, NULL); /* the default, not ASan's report */
	sigaction(SIGABRT, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	CHECK(weft__stack_init(NULL) == 0);
	CHECK(weft__stack_overflow_init(report) == 0);
	CHECK(weft__stack_thread_init(&ss) == 0);
	class = weft__stack_class(bytes);
	CHECK(weft__stack_take(class, &stack_hi, 1) == 1);
	weft__ctx_thread_init(&home);
}

/* Runs fn on a stack in a child; what it printed, and how it ended (128 + signal). */
static int run(void (*fn)(void *arg), size_t bytes, struct sigaction before, char *text, size_t n)
{
	int fd[2], status;
	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		setup_child(bytes, &before);
		CHECK(weft__ctx_make(&ctx, weft__stack_lo(stack_hi, class), stack_hi, fn, (void *)16) == 0);
		weft__ctx_switch(&home, &ctx);
		_exit(0);
	}
	close(fd[1]);
	size_t len = 0;
	ssize_t some;
	while ((some = read(fd[0], text + len, n - 1 - len)) > 0)
		len += (size_t)some;
	text[len] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void deep_recursion_is_told(void **state)
{
	(void)state;
	char text[200];
	assert_int_equal(run(run_away, 64 << 10, (struct sigaction){ 0 }, text, sizeof(text)), 128 + SIGABRT);
	assert_string_equal(text, "stack overflow (64 KiB) frames 32 here\n");
	assert_int_equal(run(run_away, 1 << 20, (struct sigaction){ 0 }, text, sizeof(text)), 128 + SIGABRT);
	assert_string_equal(text, "stack overflow (1024 KiB) frames 32 here\n");
}

static void a_large_frame_is_told(void **state)
{
	(void)state;
	char text[200];
	assert_int_equal(run(large_frame, 16 << 10, (struct sigaction){ 0 }, text, sizeof(text)), 128 + SIGABRT);
	assert_memory_equal(text, "stack overflow (16 KiB)", 23);
}

static void other_faults_end_as_before(void **state)
{
	(void)state;
	char text[200];
	assert_int_equal(run(stray, 64 << 10, (struct sigaction){ 0 }, text, sizeof(text)), 128 + SIGSEGV);
	assert_string_equal(text, "");
	assert_int_equal(run(low_pointer, 64 << 10, (struct sigaction){ 0 }, text, sizeof(text)), 128 + SIGSEGV);
	assert_string_equal(text, "");
	assert_int_equal(run(sent, 64 << 10, (struct sigaction){ 0 }, text, sizeof(text)), 128 + SIGSEGV);
	assert_string_equal(text, "");
	assert_int_equal(run(low_pointer, 64 << 10, (struct sigaction){ .sa_handler = SIG_IGN }, text, sizeof(text)),
		128 + SIGSEGV);
}

static void other_faults_go_to_the_handler_that_was_there(void **state)
{
	(void)state;
	char text[200];
	struct sigaction plain = { .sa_handler = their_handler };
	struct sigaction info = { .sa_sigaction = their_info_handler, .sa_flags = SA_SIGINFO };
	assert_int_equal(run(low_pointer, 64 << 10, plain, text, sizeof(text)), 3);
	assert_string_equal(text, "their handler\n");
	assert_int_equal(run(low_pointer, 64 << 10, info, text, sizeof(text)), 3);
	assert_string_equal(text, "their handler 16");
	assert_int_equal(run(sent, 64 << 10, plain, text, sizeof(text)), 3);
	assert_int_equal(run(sent, 64 << 10, (struct sigaction){ .sa_handler = SIG_IGN }, text, sizeof(text)), 0);
	assert_string_equal(text, "still there\n");
	assert_int_equal(run(run_away, 64 << 10, plain, text, sizeof(text)), 128 + SIGABRT);
	assert_memory_equal(text, "stack overflow (64 KiB)", 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_recursion_is_told),
		cmocka_unit_test(a_large_frame_is_told),
		cmocka_unit_test(other_faults_end_as_before),
		cmocka_unit_test(other_faults_go_to_the_handler_that_was_there),
	};
	return cmocka_run_group_tests_name("rt/overflow", tests, NULL, NULL);
}
