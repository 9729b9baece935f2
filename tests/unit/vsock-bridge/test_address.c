#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/address.h"

static enum address_class classify(const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_classify((struct sockaddr *)&in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return address_classify((struct sockaddr *)&in6);
}

static void test_public(void **state)
{
	/* Each just outside of a reserved block, and well-known servers. */
	static const char *const addresses[] = {"1.0.0.0", "9.255.255.255",
	    "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
	    "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
	    "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255",
	    "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8",
	    "2000::", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1",
	    "2001:db9::", "2003::1", "3ffe::1",
	    "3fff:1000::", "2606:4700::1111", "::ffff:8.8.8.8",
	    "64:ff9b::8.8.8.8"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (classify(addresses[i]) != ADDRESS_PUBLIC)
			fail_msg("refused: %s", addresses[i]);
}

static void test_private(void **state)
{
	/* The first and the last of each block. */
	static const char *const addresses[] = {"10.0.0.0", "10.255.255.255",
	    "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
	    "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
	    "172.31.255.255", "192.168.0.0", "192.168.255.255", "198.18.0.0",
	    "198.19.255.255", "::1", "fc00::1", "fdff:ffff::1", "fd00:ec2::254",
	    "fe80::1", "febf:ffff::1", "::ffff:127.0.0.1",
	    "::ffff:169.254.169.254", "::ffff:10.1.2.3"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (classify(addresses[i]) != ADDRESS_PRIVATE)
			fail_msg("not private: %s", addresses[i]);
}

static void test_never(void **state)
{
	static const char *const addresses[] = {"0.0.0.0", "0.255.255.255",
	    "192.0.0.1", "192.0.0.255", "192.0.2.1", "192.88.99.1",
	    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
	    "240.0.0.1", "255.255.255.255", "::", "::2", "::127.0.0.1",
	    "::ffff:0:127.0.0.1", "100::1", "fbff::1", "fe00::1", "fe7f::1",
	    "fec0::1", "ff02::1", "2001::1", "2001:1ff::1", "2001:db8::1",
	    "2001:db8:ffff::1", "2002:7f00:1::", "2002:808:808::", "3fff::1",
	    "3fff:fff::1", "1fff::1", "4000::", "5f00::1", "::ffff:0.0.0.0",
	    "::ffff:224.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
	    "64:ff9b::10.0.0.1", "64:ff9b:1::808:808"};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (classify(addresses[i]) != ADDRESS_NEVER)
			fail_msg("accepted: %s", addresses[i]);
}

static void test_other_families(void **state)
{
	struct sockaddr_storage other = {.ss_family = AF_UNIX};

	(void)state;
	assert_int_equal(
	    address_classify((struct sockaddr *)&other), ADDRESS_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_public),
	    cmocka_unit_test(test_private),
	    cmocka_unit_test(test_never),
	    cmocka_unit_test(test_other_families),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
