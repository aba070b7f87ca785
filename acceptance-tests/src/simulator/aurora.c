/*
 * A server module that gives plain Postgres what only RDS's own build has:
 *
 * 1. rds.logical_replication as a parameter of the postmaster: it is in pg_settings, nobody may SET it, a reload leaves it
 *    pending and only a restart changes it. (A placeholder setting of that name changes on reload, and any user may SET it.)
 * 2. rds.extensions, and the version of Aurora that aurora_version() returns, as parameters of the same kind.
 * 3. The REPLICATION attribute stands in for membership in rds_replication, which community Postgres treats differently from a
 *    membership: up to 15 only a superuser alters such a role, from 16 such a role may hand the attribute on. Neither holds on RDS.
 * 4. From 16 on, members of rds_superuser grant rds_iam without ADMIN OPTION, which would make them members of it.
 *
 * It is compiled without the server's headers, which fetched servers do not have: the declarations below are those that the
 * server exports, and SERVER_MAJOR selects between majors. Look them through when a major is added.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#if SERVER_MAJOR >= 18
typedef struct
{
	int version, funcmaxargs, indexmaxkeys, namedatalen, float8byval;
	char abi_extra[32];
} AbiFields;
typedef struct
{
	int len;
	AbiFields abi;
	const char *name, *module_version;
} Magic;
static const Magic magic = {sizeof(Magic), {SERVER_MAJOR * 100, 100, 32, 64, 1, "PostgreSQL"}, "aurora", "1"};
#elif SERVER_MAJOR >= 15
typedef struct
{
	int len, version, funcmaxargs, indexmaxkeys, namedatalen, float8byval;
	char abi_extra[32];
} Magic;
static const Magic magic = {sizeof(Magic), SERVER_MAJOR * 100, 100, 32, 64, 1, "PostgreSQL"};
#elif SERVER_MAJOR >= 13
typedef struct
{
	int len, version, funcmaxargs, indexmaxkeys, namedatalen, float8byval;
} Magic;
static const Magic magic = {sizeof(Magic), SERVER_MAJOR * 100, 100, 32, 64, 1};
#else
typedef struct
{
	int len, version, funcmaxargs, indexmaxkeys, namedatalen, float4byval, float8byval;
} Magic;
static const Magic magic = {sizeof(Magic), SERVER_MAJOR * 100, 100, 32, 64, 1, 1};
#endif

const Magic *Pg_magic_func(void);
const Magic *Pg_magic_func(void) { return &magic; }

typedef unsigned int Oid;

extern void DefineCustomBoolVariable(const char *name, const char *short_desc, const char *long_desc, bool *value, bool boot,
									 int context, int flags, void *check, void *assign, void *show);
extern void DefineCustomStringVariable(const char *name, const char *short_desc, const char *long_desc, char **value, const char *boot,
									   int context, int flags, void *check, void *assign, void *show);
extern Oid	GetUserId(void);
extern void GetUserIdAndSecContext(Oid *user, int *context);
extern void SetUserIdAndSecContext(Oid user, int context);
extern bool superuser_arg(Oid role);
extern bool has_createrole_privilege(Oid role);
extern bool has_privs_of_role(Oid member, Oid role);
extern Oid	get_role_oid(const char *name, bool missing_ok);

#define POSTMASTER_CONTEXT 1
#define BOOTSTRAP_SUPERUSER 10
#define LOCAL_USERID_CHANGE 1

/* The trailing arguments of the hook, which this module only passes on. */
#if SERVER_MAJOR >= 14
#define PARAMETERS void *statement, const char *query, bool read_only_tree, int context, void *params, void *env, void *dest, void *completion
#define ARGUMENTS statement, query, read_only_tree, context, params, env, dest, completion
#else
#define PARAMETERS void *statement, const char *query, int context, void *params, void *env, void *dest, void *completion
#define ARGUMENTS statement, query, context, params, env, dest, completion
#endif
typedef void (*UtilityHook)(PARAMETERS);
extern UtilityHook ProcessUtility_hook;
extern void standard_ProcessUtility(PARAMETERS);
static UtilityHook next_hook;

/* CreateCommandTag looks through a planned statement, so that no struct of the parse tree is needed here. */
#if SERVER_MAJOR >= 13
extern int	CreateCommandTag(void *statement);
extern const char *GetCommandTagName(int tag);
#define TAG(statement) GetCommandTagName(CreateCommandTag(statement))
#else
extern const char *CreateCommandTag(void *statement);
#define TAG(statement) CreateCommandTag(statement)
#endif

static bool
word_character(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '"';
}

/* Whether the text has the word, in any case, not as a part of a longer or quoted name. */
static bool
has_word(const char *text, const char *word)
{
	size_t		length = strlen(word);

	for (const char *at = text; *at; at++)
		if (strncasecmp(at, word, length) == 0 && !word_character(at[length]) && (at == text || !word_character(at[-1])))
			return true;
	return false;
}

#if SERVER_MAJOR >= 16
extern bool errstart(int level, const char *domain);
extern void errfinish(const char *file, int line, const char *function);
extern int	errcode(int code);
extern int	errmsg(const char *format, ...);
extern int	errdetail(const char *format, ...);

static void
refuse_replication(void)
{
	/* ERROR, with the SQLSTATE 42501 in the server's packing of five characters by six bits. */
	if (errstart(21, NULL))
	{
		errcode(4 + (2 << 6) + (5 << 12) + (0 << 18) + (1 << 24));
		errmsg("permission denied to alter role");
		errdetail("The REPLICATION attribute is not available to members of rds_superuser; grant rds_replication.");
		errfinish(__FILE__, __LINE__, __func__);
	}
}
#endif

static void
as_superuser(UtilityHook next, PARAMETERS)
{
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	/* An error inside ends the transaction, which puts the user back. */
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSER, security | LOCAL_USERID_CHANGE);
	next(ARGUMENTS);
	SetUserIdAndSecContext(user, security);
}

static void
utility(PARAMETERS)
{
	UtilityHook next = next_hook ? next_hook : standard_ProcessUtility;
	const char *tag = TAG(statement);
	bool		alters = strcmp(tag, "ALTER ROLE") == 0;
	bool		creates = strcmp(tag, "CREATE ROLE") == 0;

	if ((alters || creates) && !superuser_arg(GetUserId()))
	{
#if SERVER_MAJOR >= 16
		if (has_word(query, "replication") || (alters && has_word(query, "noreplication")))
			refuse_replication();
#else
		/* Only what RDS's admin may do too: common attributes, none that a superuser alone gives, and never the rig's superuser. */
		static const char *const common[] = {"password", "connection", "valid", "login", "nologin", "inherit", "noinherit", "createdb", "nocreatedb", "createrole", "nocreaterole"};
		static const char *const reserved[] = {"superuser", "nosuperuser", "replication", "noreplication", "bypassrls", "nobypassrls", "rdsadmin", "\"rdsadmin\""};
		bool		allowed = false;

		for (size_t i = 0; alters && i < sizeof(common) / sizeof(common[0]); i++)
			allowed = allowed || has_word(query, common[i]);
		allowed = allowed && has_createrole_privilege(GetUserId());
		for (size_t i = 0; allowed && i < sizeof(reserved) / sizeof(reserved[0]); i++)
			allowed = !has_word(query, reserved[i]);
		if (allowed)
		{
			as_superuser(next, ARGUMENTS);
			return;
		}
#endif
	}
#if SERVER_MAJOR >= 16
	if ((strcmp(tag, "GRANT ROLE") == 0 || strcmp(tag, "REVOKE ROLE") == 0) && !superuser_arg(GetUserId()))
	{
		bool		iam_alone = (has_word(query, "rds_iam") || has_word(query, "\"rds_iam\"")) && strchr(query, ',') == NULL;

		if (iam_alone && has_privs_of_role(GetUserId(), get_role_oid("rds_superuser", true)))
		{
			as_superuser(next, ARGUMENTS);
			return;
		}
	}
#endif
	next(ARGUMENTS);
}

static bool logical_replication;
static char *extensions;
static char *version;

void		_PG_init(void);
void
_PG_init(void)
{
	DefineCustomBoolVariable("rds.logical_replication", "Enables logical decoding.", NULL, &logical_replication, false,
							 POSTMASTER_CONTEXT, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("rds.extensions", "The extensions that can be created.", NULL, &extensions, "",
							   POSTMASTER_CONTEXT, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("aurora_sim.version", "What aurora_version() returns.", NULL, &version, "",
							   POSTMASTER_CONTEXT, 0, NULL, NULL, NULL);
	next_hook = ProcessUtility_hook;
	ProcessUtility_hook = utility;
}
