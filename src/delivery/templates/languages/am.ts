import type { Words } from '../words.ts';

export const amharic: Words = {
  direction: 'ltr',
  greeting: 'ሰላም፣',
  greetingByName: 'ሰላም {{name}}፣',
  minutes: { one: '{{count}} ደቂቃ', other: '{{count}} ደቂቃዎች' },
  codeLabel: 'ኮድዎ',
  expiry: 'ኮዱ ለ{{minutes}} እና ለአንድ ጊዜ ብቻ ይሠራል።',
  codeAdvice: 'ይህን ኮድ ለማንም አይንገሩ። ከ{{tenant}} ማንም ሰው በስልክም ሆነ በጽሑፍ ኮዱን አይጠይቅዎትም።',
  facts: { device: 'መሣሪያ', place: 'ቦታ', time: 'ሰዓት', address: 'አድራሻ' },
  notMe: 'ይህ እኔ አልነበርኩም',
  support: 'ጥያቄ አለዎት? ወደ {{support}} ይጻፉ።',
  footer: 'ይህ መልእክት ለመለያዎ ደኅንነት ከ{{tenant}} የተላከ ነው።',
  messages: {
    sign_in_code: {
      sms: '{{code}} የ{{tenant}} ኮድዎ ነው። ለማንም አይንገሩ።',
      subject: '{{code}} የ{{tenant}} ኮድዎ ነው',
      intro: 'ወደ {{tenant}} ለመግባት ይህን ኮድ ያስገቡ፦',
      ifNotYou: 'እርስዎ ካልጠየቁ ይህን መልእክት ችላ ይበሉ፤ ያለ ኮዱ ማንም መግባት አይችልም።',
    },
    verify_sign_up: {
      sms: '{{code}} የ{{tenant}} መመዝገቢያ ኮድ ነው። ለማንም አይንገሩ።',
      subject: '{{code}} የ{{tenant}} መለያዎን ያረጋግጣል',
      intro: 'በ{{tenant}} ስለተመዘገቡ እናመሰግናለን። አድራሻው የእርስዎ መሆኑን ለማረጋገጥ ይህን ኮድ ያስገቡ፦',
      ifNotYou: 'እርስዎ ካልተመዘገቡ ይህን መልእክት ችላ ይበሉ፤ ያለ ኮዱ መለያ አይከፈትም።',
    },
    forgot_password: {
      sms: '{{code}} የ{{tenant}} አዲስ የይለፍ ቃል ኮድ ነው።',
      subject: '{{code}} የ{{tenant}} የይለፍ ቃል መቀየሪያ ኮድ',
      intro: 'ለ{{tenant}} አዲስ የይለፍ ቃል ለመምረጥ ይህን ኮድ ያስገቡ፦',
      ifNotYou: 'እርስዎ ካልጠየቁ ይህን መልእክት ችላ ይበሉ፤ የይለፍ ቃልዎ አይቀየርም።',
    },
    link_code: {
      sms: '{{code}} የ{{tenant}} ማገናኛ ኮድ ነው። ለማንም አይንገሩ።',
      subject: '{{code}} ይህን አድራሻ ወደ {{tenant}} መለያዎ ያክላል',
      intro: 'ይህን አድራሻ ወደ {{tenant}} መለያዎ ለማከል ይህን ኮድ ያስገቡ፦',
      ifNotYou: 'እርስዎ ካልጠየቁ ይህን መልእክት ችላ ይበሉ፤ ያለ ኮዱ አድራሻው አይታከልም።',
    },
    step_up_code: {
      sms: '{{code}} የ{{tenant}} ማረጋገጫ ኮድ ነው። ለማንም አይንገሩ።',
      subject: '{{code}} እርስዎ መሆንዎን ያረጋግጣል',
      intro: 'በ{{tenant}} አስፈላጊ ነገር ሊቀይሩ ነው። እርስዎ መሆንዎን ለማረጋገጥ ይህን ኮድ ያስገቡ፦',
      ifNotYou: 'እርስዎ ካልጠየቁ ሌላ ሰው በስምዎ ገብቶ ሊሆን ይችላል፤ ሌሎች ክፍለ ጊዜዎችን ይዝጉ እና የይለፍ ቃልዎን ይቀይሩ።',
    },
    password_changed: {
      sms: 'የ{{tenant}} የይለፍ ቃልዎ ተቀይሯል። እርስዎ ካልሆኑ ይቀይሩት።',
      subject: 'የ{{tenant}} የይለፍ ቃልዎ ተቀይሯል',
      intro: 'የ{{tenant}} መለያዎ የይለፍ ቃል ተቀይሯል፤ ሌሎች ክፍለ ጊዜዎችም ተዘግተዋል።',
      ifNotYou: 'እርስዎ ካልሆኑ አሁኑኑ «የይለፍ ቃል ረሱ?» በሚለው አዲስ የይለፍ ቃል ይምረጡ እና ያሳውቁን።',
    },
    new_device: {
      sms: 'በአዲስ መሣሪያ ወደ {{tenant}} ተገብቷል። የይለፍ ቃል ይቀይሩ።',
      subject: 'ወደ {{tenant}} መለያዎ አዲስ መግቢያ',
      intro: 'በአዲስ መሣሪያ ወደ {{tenant}} መለያዎ ተገብቷል።',
      ifNotYou: 'እርስዎ ካልሆኑ በመሣሪያዎች ዝርዝር ውስጥ ያን ክፍለ ጊዜ ይዝጉ እና የይለፍ ቃልዎን ይቀይሩ።',
    },
    address_changed: {
      sms: 'የ{{tenant}} መለያዎ አድራሻዎች ተቀይረዋል።',
      subject: 'የ{{tenant}} መለያዎ አድራሻ ተቀይሯል',
      intro: 'ወደ {{tenant}} መለያዎ የሚገባባቸው አድራሻዎች ተቀይረዋል።',
      ifNotYou: 'እርስዎ ካልሆኑ አሁኑኑ ይግቡ፣ አድራሻዎችዎን ያረጋግጡ እና ያሳውቁን።',
    },
    account_locked: {
      sms: 'በ{{tenant}} ብዙ የተሳሳቱ ሙከራዎች። ማንም አልገባም።',
      subject: 'ወደ {{tenant}} መለያዎ ብዙ የተሳሳቱ ሙከራዎች ነበሩ',
      intro: 'አንድ ሰው በተሳሳተ ኮድ ወይም የይለፍ ቃል ወደ {{tenant}} መለያዎ ለመግባት ብዙ ጊዜ ሞክሯል። መግቢያው ለጊዜው ተዘግቷል፤ ማንም አልገባም።',
      ifNotYou: 'እርስዎ ካልነበሩ አሁን ምንም ማድረግ አያስፈልግም። ኮዱን ለማንም አያጋሩ፤ መጠበቅ ካልቻሉ በሌላ መንገድ ይግቡ።',
    },
    already_registered: {
      sms: 'በ{{tenant}} መለያ አለዎት። በቀጥታ ይግቡ።',
      subject: 'በ{{tenant}} መለያ አለዎት',
      intro:
        'አንድ ሰው፣ ምናልባት እርስዎ፣ በዚህ አድራሻ በ{{tenant}} ለመመዝገብ ሞክሯል። አድራሻው መለያ አለው፤ ይግቡ ወይም «የይለፍ ቃል ረሱ?» የሚለውን ይምረጡ።',
      ifNotYou: 'እርስዎ ካልሆኑ ምንም ማድረግ አያስፈልግም፤ መለያዎ አልተቀየረም።',
    },
  },
};
