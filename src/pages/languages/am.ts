export { english as amharic } from './en.ts';
