/** Why a service could not be started or reached. Match on the code; the message says what to do. */
export type ServicesErrorCode =
  | 'USAGE'
  | 'NOT_LINUX'
  | 'JAVA_MISSING'
  | 'JAVA_TOO_OLD'
  | 'MAVEN_MISSING'
  | 'OPENSSL_FAILED'
  | 'DOWNLOAD_FAILED'
  | 'PORT_IN_USE'
  | 'SERVER_DIED'
  | 'SERVER_NOT_READY'
  | 'NOT_RUNNING'
  | 'NO_LEADER';

export class ServicesError extends Error {
  override readonly name = 'ServicesError';
  readonly code: ServicesErrorCode;

  constructor(code: ServicesErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
