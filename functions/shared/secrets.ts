const SECRET = /passw(or)?d|secret|token|credential|(api|private|access)[-_]?key/i;
const URL_PASSWORD = /(:\/\/[^:/@\s]*:)[^@/\s]+@/g;

/** The text of a named value for people: masked where the name says that it is a secret, and without the password of a URL. */
export function maskSecret(name: string, text: string): string {
  return SECRET.test(name) ? '********' : text.replaceAll(URL_PASSWORD, '$1********@');
}
