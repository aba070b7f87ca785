/* How glibc resolves names: with /etc/hosts and DNS, as Terraform itself does, whatever /etc/nsswitch.conf says. In a static binary,
   every other entry there would load a library of the system into this process, and with it another version of glibc. */
#include <nss.h>

__attribute__((constructor)) static void use_files_and_dns(void) {
    __nss_configure_lookup("hosts", "files dns");
}
