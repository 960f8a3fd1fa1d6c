import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Creates a self-signed certificate for 127.0.0.1 and its key, as PEM files in a folder. */
export function makeCertificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const request = `req -x509 -newkey rsa:2048 -nodes -keyout ${key} -out ${cert} -days 1 -subj /CN=localhost`;
  const names = '-addext subjectAltName=IP:127.0.0.1';
  execFileSync('openssl', `${request} ${names}`.split(' '), { stdio: 'ignore' });
  return { cert, key };
}
